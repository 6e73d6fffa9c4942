"""The assets that connect DAGs: a DAG that changes one emits an event, which starts the DAGs that depend on it."""

from __future__ import annotations

from airflow.sdk import Asset

CLEAN_SNAPSHOT = Asset(name="clean_snapshot", uri="x-daybreak://clean_snapshot", group="daybreak")
CHAMPION = Asset(name="champion", uri="x-daybreak://champion", group="daybreak")
PUBLISHED_LISTS = Asset(name="published_lists", uri="x-daybreak://published_lists", group="daybreak")
QUESTION = Asset(name="question", uri="x-daybreak://question", group="daybreak")
DRIFT = Asset(name="drift", uri="x-daybreak://drift", group="daybreak")
