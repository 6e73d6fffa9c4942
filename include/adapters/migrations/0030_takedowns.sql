-- Articles that a person took down: readers see none of them from that moment on, whichever batch is live.
set role daybreak_run;

create table ops.takedowns (
    takedown_id   bigint generated always as identity primary key,
    article_id    bigint not null,
    reason        text not null,
    actor         text not null,
    taken_down_at timestamptz not null,
    lifted_at     timestamptz,
    lifted_by     text
);
create unique index one_takedown on ops.takedowns (article_id) where lifted_at is null;

create or replace view recs.current as
select r.reader_id, r.rank, r.article_id, r.score, r.reason,
       b.batch_id, b.model_version, b.snapshot_id,
       b.as_of as generated_at,
       now() - b.as_of > make_interval(mins => l.stale_after_minutes) as is_stale,
       b.baseline
from recs.live l
join recs.batches b using (batch_id)
join recs.recommendations r using (batch_id)
where not exists (select from ops.takedowns t where t.article_id = r.article_id and t.lifted_at is null);

reset role;
