-- The rows of the newest snapshot with quarantined rows that have not come back, by check, most first.
select snapshot_id, check_code as code, count(*) as rows
from quarantine.every_row
where replayed_into is null and snapshot_id = (
    select greatest(
        (select max(snapshot_id) from quarantine.subscribers),
        (select max(snapshot_id) from quarantine.articles),
        (select max(snapshot_id) from quarantine.reading_events)))
group by snapshot_id, check_code
order by rows desc, check_code
