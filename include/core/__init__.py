"""What at least three rooms need and what decides nothing: settings, errors, clock, references, checks, contract."""
