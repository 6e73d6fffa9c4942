"""How live lists do with readers and whether reading has moved; asks for a retrain, never starts one."""
