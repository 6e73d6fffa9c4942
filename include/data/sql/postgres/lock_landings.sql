lock table ops.landings in share row exclusive mode
