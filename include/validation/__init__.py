"""From a snapshot to a clean one, or to a stop: which rows and tables may go on, and which rows are quarantined."""
