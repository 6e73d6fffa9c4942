"""Fields shared by the forms of several DAGs. Airflow checks them in the UI, over REST and when a backfill is made."""

from __future__ import annotations

from airflow.sdk import Param

from include.core.model_names import find_names
from include.pipeline.decide import CONFIRMED, OF_BACKFILL, REACHES

# `format` gives the UI a date picker but checks nothing; the pattern does. A date alone means midnight UTC.
MOMENT = r"^$|^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$"

AS_OF = Param(
    None,
    type=["null", "string"],
    format="date-time",
    pattern=MOMENT,
    description="moment to work as of; empty: the end of the run's interval, else the moment it was triggered",
)
WAIT_MINUTES = Param(
    None,
    type=["null", "integer"],
    minimum=0,
    maximum=240,
    description="minutes to wait for data after the window's end; 0: use the data that is there; empty: the setting",
)
MODEL = Param(
    None,
    type=["null", "string"],
    enum=[None, *find_names()],
    values_display={"null": "the setting"},
    description="model to train",
)
MODE = Param(
    None,
    type=["null", "string"],
    enum=[None, *REACHES],
    values_display={"null": f"the setting; in a backfill: {REACHES[OF_BACKFILL]}", **REACHES},
    description="how far the run goes; a dry run also writes a shadow batch; to let a backfill promote, also fill in "
    "`confirm`; of several days the first winner is promoted",
)
CONFIRM = Param(
    None,
    type=["null", "string"],
    pattern=f"^({CONFIRMED})?$",
    description=f"type {CONFIRMED} to let a backfill promote or publish; newer lists and a newer champion stay",
)
TRAIN_ONCE = Param(
    False,
    type="boolean",
    description="in a backfill, train and judge on the last of its days only; the others end with their features",
)
CHAINED = Param(
    False,
    type="boolean",
    description="in a backfill, judge each day against the version that won the day before, not against that day's "
    "champion; run the days forwards, one at a time",
)
REASON = Param(None, type=["null", "string"], maxLength=500, description="reason, for the record")
