"""Validation: check a snapshot, quarantine its broken rows, and make a clean snapshot or stop the run."""
