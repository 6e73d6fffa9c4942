"""The questions of `doctor`, in order."""

from __future__ import annotations

from include.operations.doctor import Question, database, rows, services, views

QUESTIONS = (
    Question("DR101", "Every role can sign in", database.let_in),
    Question("DR102", "The warehouse is up to date", database.up_to_date, ("DR101",)),
    Question("DR116", "The publisher's database answers", database.source_answers),
    Question("DR103", "The extract can only read the views", database.rights, ("DR116",)),
    Question("DR104", "Clocks agree", database.clocks, ("DR101", "DR116")),
    Question("DR105", "The three views are there", views.are_there, ("DR116",)),
    Question("DR106", "Columns are as promised", views.columns, ("DR105",)),
    Question("DR107", "Times are plausible", rows.times, ("DR106",)),
    Question("DR108", "Keys are unique", rows.keys, ("DR106",)),
    Question("DR109", "Rows are plausible", rows.rows, ("DR106",)),
    Question("DR110", "A day is found by an index", views.indexes, ("DR106",)),
    Question("DR111", "There is space on the disk", services.disk),
    Question("DR112", "The mail server accepts mail", services.mail),
    Question("DR113", "MLflow answers", services.mlflow),
    Question("DR114", "Airflow is healthy", services.airflow),
    Question("DR115", "Feast knows the declarations", services.feast, ("DR101",)),
)
