"""Feast's declarations, all in `definitions.py`."""
