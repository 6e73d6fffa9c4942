"""What earlier days say about this one: volume, freshness, change, and the limits that follow from them."""
