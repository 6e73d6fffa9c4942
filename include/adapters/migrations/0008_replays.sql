-- What became of rows that were set aside when somebody tried them again: the clean snapshot they came into, or the
-- rules they still break. Beside the rows themselves, for a repeated validation writes those anew.
set role daybreak_run;

create table quarantine.replays (
    table_name    text not null,
    snapshot_id   text not null,
    file_sha256   text not null,
    row_no        bigint not null,
    came_as       text not null check (came_as in ('mended', 'as it was', 'still broken')),
    replayed_into text,
    replayed_at   timestamptz,
    still_breaks  text not null,
    tried_at      timestamptz not null,
    run_id        text not null,
    primary key (table_name, snapshot_id, file_sha256, row_no),
    check ((replayed_into is null) = (came_as = 'still broken'))
);

-- Every row that is set aside, whichever table it is of, with what became of it.
create view quarantine.every_row as
select q.*, r.replayed_into, r.replayed_at, r.came_as, r.still_breaks, r.tried_at
from (
    select 'subscribers' as table_name, snapshot_id, check_code, primary_key, file_sha256, row_no, reason, run_id,
           original, quarantined_at
    from quarantine.subscribers
    union all
    select 'articles', snapshot_id, check_code, primary_key, file_sha256, row_no, reason, run_id, original,
           quarantined_at
    from quarantine.articles
    union all
    select 'reading_events', snapshot_id, check_code, primary_key, file_sha256, row_no, reason, run_id, original,
           quarantined_at
    from quarantine.reading_events
) q
left join quarantine.replays r using (table_name, snapshot_id, file_sha256, row_no);

reset role;
