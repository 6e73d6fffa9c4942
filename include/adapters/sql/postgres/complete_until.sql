select max(complete_until) from source.deliveries
