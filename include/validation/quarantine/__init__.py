"""Quarantined rows: which they are, why, and how they come back after a fix."""
