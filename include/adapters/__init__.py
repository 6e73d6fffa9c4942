"""Thin wrappers around vendors' clients: the only files that import one. No decision of ours is made here."""
