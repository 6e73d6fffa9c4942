"""Immutable, content-addressed snapshots of the publisher's views."""
