"""Daybreak's domain: a retraining loop in twelve rooms, importable and testable without Airflow.

In the order of the flow:

    pipeline/    the stages that DAGs and the command line call; the only place where rooms meet
    data/        the publisher's views -> a snapshot
    validation/  a snapshot -> a clean snapshot, or a stop
    features/    a clean snapshot -> features
    models/      features -> a registered version
    lists/       a version -> audited lists, switched live at once
    judging/     a version -> a verdict; who is champion
    monitoring/  live lists and later reading -> health, drift, a reason to retrain
    alerts/      a failure or an event -> an incident, and mails to act on
    operations/  an installation and the people who run it
    adapters/    the only files that import a vendor
    core/        the words that every room speaks

A room imports only rooms named in its row of `tests/architecture/test_imports.py`. In a room, `page.py` is its HTML,
`audit.py` or `checks.py` its coded checks, `sql/postgres/` and `sql/duckdb/` its queries.
"""
