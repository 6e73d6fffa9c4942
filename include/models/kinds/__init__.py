"""The models there are, one file or folder each; pure: no database, no clock, no settings."""
