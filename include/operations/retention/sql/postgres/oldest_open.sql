-- The oldest row of Airflow that an unfinished run needs: its own, of one of its tasks, or an event that started it.
select min(moment) from (
    select coalesce(run.start_date, run.queued_at, run.run_after) as moment
    from dag_run run
    where run.state in ('queued', 'running')
    union all
    select task.start_date
    from task_instance task
    join dag_run run using (dag_id, run_id)
    where run.state in ('queued', 'running')
    union all
    select event.timestamp
    from asset_event event
    join dagrun_asset_event started on started.event_id = event.id
    join dag_run run on run.id = started.dag_run_id
    where run.state in ('queued', 'running')
) needed
