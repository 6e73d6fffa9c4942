"""Monitoring: measure the quality of live lists and the drift of reading; request retrains, but never start them."""
