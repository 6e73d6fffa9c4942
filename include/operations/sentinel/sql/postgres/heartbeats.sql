-- The last heartbeat of each component of Airflow that ever had one.
select job_type, max(latest_heartbeat) from job where latest_heartbeat is not null group by job_type
