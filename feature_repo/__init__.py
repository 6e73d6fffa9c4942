"""Feast's declarations; `definitions.py` is the whole of it."""
