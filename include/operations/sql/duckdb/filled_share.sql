-- The share of places that the model could not rank, so that popular or new articles fill them.
select count(*) filter (where score = 0) / count(*) as filled_share from read_parquet($lists)
