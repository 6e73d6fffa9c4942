"""Modules that several rooms share and that decide nothing: settings, errors, clock, references, checks, contract."""
