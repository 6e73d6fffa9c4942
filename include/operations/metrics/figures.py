"""Every figure that the endpoint shows, with its meaning and labels; `monitoring/` hangs on these names.

A label has few values: DAGs, stages, severities, channels, columns, tables, and publishers up to a limit. What happened
is told by its time, `..._timestamp_seconds`, and what people ask for as an age by its age.
"""

from __future__ import annotations

from include.adapters.prometheus import Figure

WAREHOUSE_UP = Figure("daybreak_warehouse_up", "whether the warehouse answered (1) or not (0)")
AIRFLOW_UP = Figure("daybreak_airflow_database_up", "whether Airflow's database answered (1) or not (0)")
HEARTBEAT_AGE = Figure(
    "daybreak_heartbeat_age_seconds", "seconds since the last sign of life of a component of Airflow", ("component",)
)
SENTINEL_ROUND = Figure("daybreak_sentinel_round_timestamp_seconds", "when the sentinel last ended a round")

LISTS_AGE = Figure("daybreak_lists_age_seconds", "age of the lists that readers see")
LISTS_STALE_AFTER = Figure("daybreak_lists_stale_after_seconds", "age from which lists count as stale")
LISTS_READERS = Figure("daybreak_lists_readers", "readers who have a list")
LISTS_FULL = Figure("daybreak_lists_full_readers", "readers who have a full list")
LISTS_VERSION = Figure("daybreak_lists_version", "version that made the lists; 0 for a baseline")

CHAMPION_VERSION = Figure("daybreak_champion_version", "version of the champion")
CHAMPION_REIGN = Figure("daybreak_champion_reign_seconds", "seconds since the champion was chosen")
CHAMPION_AGE = Figure(
    "daybreak_champion_data_age_seconds", "seconds since the end of what the champion has learnt from"
)

VERDICTS = Figure("daybreak_verdicts", "verdicts that count, by decision", ("decision",), "counter")
VERDICT_AT = Figure("daybreak_verdict_timestamp_seconds", "when the last verdict that counts was given")
REJECTIONS = Figure("daybreak_rejections_in_a_row", "challengers rejected since one was not")
QUESTIONS = Figure("daybreak_questions_open", "verdicts that wait for a person")
HOLDS = Figure("daybreak_holds_active", "freezes and pins in force", ("kind",))

INCIDENTS = Figure("daybreak_incidents_open", "open incidents, without those that are quiet at present", ("severity",))
OUTBOX = Figure("daybreak_outbox_waiting", "alerts that a channel has not taken yet", ("channel",))
OUTBOX_AGE = Figure(
    "daybreak_outbox_oldest_age_seconds", "age of the oldest alert that a channel has not taken", ("channel",)
)
CHANNEL_UP = Figure("daybreak_channel_up", "whether a channel took what it was last given (1) or not (0)", ("channel",))

DAG_SUCCESS = Figure("daybreak_dag_success_timestamp_seconds", "when a run last ended with all stages done", ("dag",))
DAG_FAILURE = Figure("daybreak_dag_failure_timestamp_seconds", "when a run last had a stage that failed", ("dag",))
DAG_SECONDS = Figure("daybreak_dag_duration_seconds", "from the first stage to the last of that success", ("dag",))
STAGE = ("dag", "stage")
STAGE_SUCCESS = Figure("daybreak_stage_success_timestamp_seconds", "when a stage was last done", STAGE)
STAGE_SECONDS = Figure("daybreak_stage_duration_seconds", "how long it took then", STAGE)
STAGE_CPU = Figure("daybreak_stage_cpu_seconds", "processor time of it and its processes then", STAGE)
STAGE_MEMORY = Figure("daybreak_stage_memory_bytes", "most memory of its process then", STAGE)
STAGE_ROWS = Figure("daybreak_stage_rows", "rows that it read or wrote then", STAGE)

QUARANTINED = Figure(
    "daybreak_quarantined_rows", "rows that the last validation of a DAG quarantined", ("dag", "table", "publisher")
)
DRIFT_WINDOW = Figure("daybreak_drift_window_timestamp_seconds", "end of the newest window that was measured")
DRIFT_MOVED = Figure("daybreak_drift_moved", "whether a column moved in that window (1) or not (0)", ("column",))
DRIFT_OBSERVED = Figure("daybreak_drift_observed", "what the window showed of a column", ("column",))
DRIFT_LIMIT = Figure("daybreak_drift_limit", "where its ordinary windows end on that side", ("column",))

SHOWN = Figure("daybreak_window_impressions", "articles of our lists shown to readers in the newest window")
READ = Figure("daybreak_window_reads", "articles of our lists read in it")
READ_SECONDS = Figure("daybreak_window_read_seconds", "seconds that readers spent with our lists in it")

REGION = ("region",)
WINDOW_READS = Figure("daybreak_usage_reads", "all reads in the newest window, from our lists or not", REGION)
LIST_READS = Figure("daybreak_usage_list_reads", "those of them that came from our lists", REGION)
SHOWN_OR_NOT = ("region", "lists")
USAGE_READERS = Figure("daybreak_usage_readers", "readers in it by whether they were shown a list", SHOWN_OR_NOT)
USAGE_SECONDS = Figure("daybreak_usage_read_seconds", "seconds that these spent reading, on lists or not", SHOWN_OR_NOT)

STATE_BYTES = Figure("daybreak_state_bytes", "size of a folder of the state folder", ("folder",))
STATE_FREE = Figure("daybreak_state_free_bytes", "free space on the disk of the state folder")

FIGURES = tuple(one for one in vars().values() if isinstance(one, Figure))
