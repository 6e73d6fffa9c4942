-- What a reader read last, newest first, as the features of the live lists know it.
select article_id, read_at from read_parquet($reads)
where reader_id = $reader_id
order by read_at desc, article_id
limit 20
