-- The share of articles shown at a position that are read; positions beyond the last count as one, 0 is unknown.
select least(coalesce(s.position, 0), $last_position)::int as position,
       (count(r.article_id) + 1.0) / (count(*) + 10.0) as rate
from shown s
left join reads r on r.reader_id = s.reader_id and r.article_id = s.article_id
where s.shown_at < $until
group by all
order by position
