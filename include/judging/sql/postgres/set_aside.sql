-- The quarantined rows of a snapshot by table and rule; a row that breaks several rules is counted for each.
select table_name, check_code, count(*) from quarantine.every_row where snapshot_id = %s group by 1, 2 order by 1, 2
