"""What Daybreak's DAGs share: assets, defaults, stages, as-of, alerts, links and the report pages.

Only code that needs Airflow belongs here. Decisions about data, models and lists live in `include/`, which every
function here imports when it runs, so that parsing a DAG stays cheap.
"""
