"""From a version's ranking to the ten articles each reader gets, audited and switched live at once."""
