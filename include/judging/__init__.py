"""Judging: measure a version in this run, reach a verdict, and keep the ledger of champions and holds."""
