-- Lock holds before champions, in the same order as retention, so that no deadlock can occur.
lock table ops.holds in share row exclusive mode
