select to_regclass('job') is not null
