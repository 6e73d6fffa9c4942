-- The quarantined rows of a snapshot, each once, with the rules it broke and whether it has come back before.
select table_name, file_sha256, row_no, primary_key, array_agg(check_code order by check_code) as codes,
       bool_or(replayed_into is not null) as came_back
from quarantine.every_row
where snapshot_id = %s
group by table_name, file_sha256, row_no, primary_key
