"""From a failure or an event to one incident and one mail that a person can act on at night."""
