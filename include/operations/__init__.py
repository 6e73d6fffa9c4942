"""Operate an installation: start it, check it, clean it up, demonstrate it, and control it from the command line."""
