"""The assets that connect DAGs: a DAG that changes one emits an event, which starts the DAGs scheduled on it.

The other inlets and outlets of tasks start nothing: they draw the flow in Airflow's graph of assets, from the snapshot
to the published lists and back.
"""

from __future__ import annotations

from airflow.sdk import Asset, AssetWatcher

from daybreak_airflow.tasks.landing import DataLanded

LANDED = Asset(
    name="landed",
    uri="x-daybreak://landed",
    group="daybreak",
    watchers=[AssetWatcher(name="messages_of_the_publisher", trigger=DataLanded())],
)
SNAPSHOT = Asset(name="snapshot", uri="x-daybreak://snapshot", group="daybreak")
CLEAN_SNAPSHOT = Asset(name="clean_snapshot", uri="x-daybreak://clean_snapshot", group="daybreak")
FEATURES = Asset(name="features", uri="x-daybreak://features", group="daybreak")
MODEL = Asset(name="model", uri="x-daybreak://model", group="daybreak")
CHAMPION = Asset(name="champion", uri="x-daybreak://champion", group="daybreak")
TAKEDOWN = Asset(name="takedown", uri="x-daybreak://takedown", group="daybreak")
PUBLISHED_LISTS = Asset(name="published_lists", uri="x-daybreak://published_lists", group="daybreak")
QUESTION = Asset(name="question", uri="x-daybreak://question", group="daybreak")
DRIFT = Asset(name="drift", uri="x-daybreak://drift", group="daybreak")
