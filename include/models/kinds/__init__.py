"""The models, one file or folder each, without access to a database, a clock or settings."""
