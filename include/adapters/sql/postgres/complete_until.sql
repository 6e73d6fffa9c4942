select max(complete_until) from {deliveries}
