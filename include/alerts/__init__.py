"""Turn failures and events into incidents that open, rise and end, and into mails to act on at night."""
