-- Before the first promotion a baseline makes the lists: such a batch names the baseline and has no version.
set role daybreak_run;

alter table recs.batches
    alter column model_version drop not null,
    add column baseline text,
    add constraint batches_made_by_one check ((model_version is null) <> (baseline is null));

create or replace view recs.current as
select r.reader_id, r.rank, r.article_id, r.score, r.reason,
       b.batch_id, b.model_version, b.snapshot_id,
       b.as_of as generated_at,
       now() - b.as_of > make_interval(mins => l.stale_after_minutes) as is_stale,
       b.baseline
from recs.live l
join recs.batches b using (batch_id)
join recs.recommendations r using (batch_id);

-- A stage that finds too little to work on is neither done nor failed.
alter table ops.runs drop constraint runs_status_check,
    add constraint runs_status_check check (status in ('running', 'done', 'failed', 'skipped'));

reset role;
