-- Measure a contestant's lists beyond accuracy: candidates per list, coverage of the live catalogue, mix of categories,
-- novelty, and concentration on a few articles.
with chosen as (
    select q.reader_id, q.list_at, count(r.article_id) as candidates
    from requests q
    left join ranked r on r.reader_id = q.reader_id and r.list_at = q.list_at
    group by all
), read_now as (
    select list_at, sum(coalesce(read_count_1d, 0)) + count(*) as total from articles group by list_at
), shown as (
    select l.reader_id, l.list_at, l.article_id, coalesce(a.category, '') as category,
           -log2((coalesce(a.read_count_1d, 0) + 1) / n.total) as surprise_bits
    from lists l
    join articles a on a.list_at = l.list_at and a.article_id = l.article_id
    join read_now n on n.list_at = l.list_at
), mixed as (
    select reader_id, list_at, 1 - sum(n * n) / (sum(n) * sum(n)) as diversity
    from (select reader_id, list_at, category, count(*)::double as n from shown group by all)
    group by all
), shows as (
    select n, row_number() over (order by n, article_id) as place
    from (select article_id, count(*)::double as n from shown group by article_id)
)
select (select avg(candidates) from chosen) as mean_candidate_count,
       (select count(*) from (select distinct list_at, article_id from shown)) / (select count(*) from articles)
           as catalogue_share,
       (select sum(round(1000000 * diversity)::bigint) / 1000000.0 / count(*) from mixed) as mean_diversity,
       (select sum(round(1000000 * surprise_bits)::bigint) / 1000000.0 / count(*) from shown) as mean_surprise_bits,
       (select 2 * sum(place * n) / (count(*) * sum(n)) - (count(*) + 1) / count(*) from shows) as concentration
