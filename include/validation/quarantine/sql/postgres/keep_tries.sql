-- Save the latest try of each row. A try that brings a row back into the same version keeps the first time and run.
insert into quarantine.replays as r
    (table_name, snapshot_id, file_sha256, row_no, came_as, replayed_into, replayed_at, still_breaks, tried_at, run_id)
select table_name, snapshot_id, file_sha256, row_no, came_as, replayed_into,
       case when replayed_into is not null then %(tried_at)s::timestamptz end, still_breaks, %(tried_at)s, %(run_id)s
from tries
on conflict (table_name, snapshot_id, file_sha256, row_no) do update
set came_as = excluded.came_as, replayed_into = excluded.replayed_into, still_breaks = excluded.still_breaks,
    tried_at = excluded.tried_at,
    replayed_at = case when r.replayed_into = excluded.replayed_into then r.replayed_at else excluded.replayed_at end,
    run_id = case when r.replayed_into = excluded.replayed_into then r.run_id else excluded.run_id end
