"""Quarantined rows: showing them with their reasons, and bringing them back after a fix."""
