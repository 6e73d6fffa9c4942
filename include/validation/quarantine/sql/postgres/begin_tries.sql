create temporary table tries on commit drop as
select table_name, snapshot_id, file_sha256, row_no, came_as, replayed_into, still_breaks
from quarantine.replays where false
