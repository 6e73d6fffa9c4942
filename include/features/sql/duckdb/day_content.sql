-- Digests of the readers and articles that a day sees, whatever their order, and when its newest event was known.
select (select count(*) from articles) as articles,
       (select bit_xor(md5_number(a::varchar)) from articles a)::varchar as articles_digest,
       (select count(*) from subscribers) as readers,
       (select bit_xor(md5_number(s::varchar)) from subscribers s)::varchar as readers_digest,
       (select max(ingested_at) from reading_events) as newest_at
