-- Before the champions, as retention does it, so that none of the three waits for the other.
lock table ops.holds in share row exclusive mode
