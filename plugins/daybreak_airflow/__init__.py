"""Code that Daybreak's DAGs share: assets, defaults, tasks, run dates, alerts, links and the report pages.

Only code that needs Airflow belongs here. Decisions about data, models and lists live in `include/`, which every
function here imports when it runs, so that parsing a DAG stays cheap.
"""
