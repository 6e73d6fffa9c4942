"""Turn a failure or an event into one incident and one mail that a person can act on at night."""
