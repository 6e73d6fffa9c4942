select to_regclass('source.deliveries') is not null
