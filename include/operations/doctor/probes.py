"""The probes of `doctor`, in order."""

from __future__ import annotations

from include.operations.doctor import Probe, database, rows, services, views

PROBES = (
    Probe("DR101", "Every role can sign in", database.let_in),
    Probe("DR102", "The warehouse is up to date", database.up_to_date, ("DR101",)),
    Probe("DR116", "The publisher's database answers", database.source_answers),
    Probe("DR103", "The extract can only read the views", database.rights, ("DR116",)),
    Probe("DR104", "Clocks agree", database.clocks, ("DR101", "DR116")),
    Probe("DR105", "The three views exist", views.are_there, ("DR116",)),
    Probe("DR106", "Columns match the contract", views.columns, ("DR105",)),
    Probe("DR107", "Times are plausible", rows.times, ("DR106",)),
    Probe("DR108", "Keys are unique", rows.keys, ("DR106",)),
    Probe("DR109", "Rows are plausible", rows.rows, ("DR106",)),
    Probe("DR110", "Indexes cover a day's events", views.indexes, ("DR106",)),
    Probe("DR111", "The disk has free space", services.disk),
    Probe("DR112", "The mail server accepts mail", services.mail),
    Probe("DR118", "The webhook's receiver answers", services.webhook),
    Probe("DR119", "The Alertmanager answers", services.alertmanager),
    Probe("DR113", "MLflow answers", services.mlflow),
    Probe("DR114", "Airflow is healthy", services.airflow),
    Probe("DR117", "Heavy tasks have slots", services.pool, ("DR101",)),
    Probe("DR115", "Feast has the declarations", services.feast),
)
