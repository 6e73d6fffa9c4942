"""A version as MLflow calls it: a data frame of histories in, a data frame of ranked articles out.

`mlflow.pyfunc.load_model` and `mlflow models serve` find `_load_pyfunc` in the copy of this code that lies with the
version. It answers by the version's folder alone: no database, no setting, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa

from include.core.clock import parse_moment
from include.core.errors import BadInput
from include.features.crowd import Crowd
from include.models.artifact import Artifact

LENGTH = 10
MOMENTS = ("occurred_at", "ingested_at", "signed_up_at")
ABOUT_READERS = ("region", "plan", "signed_up_at", "interests")


class PyfuncModel:
    """An artifact behind MLflow's interface."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    def get_raw_model(self) -> Artifact:
        """Return the artifact, which can also rank beside a fresher crowd."""
        return self.artifact

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Return up to `k` articles per reader, best first: reader_id, list_at, rank, article_id, score, reason.

        `model_input` is a row per event, as `Artifact.recommend` takes it; `region`, `plan`, `signed_up_at` and
        `interests` describe the row's reader, and the last value of each counts. Times are timestamps or ISO text, UTC
        where they name no zone. `as_of` defaults to the version's moment, or to the last event if that is later, so
        that every event counts. The version knows the articles of its own moment and none that came later; once all of
        them are too old for a list, it says so. `readers` adds readers without a history, who are answered as
        strangers; `candidates` names the only articles to rank. Both are lists of ids, and an empty one asks for
        nothing in particular.
        """
        asked = params or {}
        given = _with_moments(model_input)
        events = pa.Table.from_pandas(given.drop(columns=[*ABOUT_READERS], errors="ignore"), preserve_index=False)
        as_of = asked.get("as_of")
        ranked = self.artifact.recommend(
            events,
            parse_moment(as_of) if as_of else _last_moment(given, self.artifact.crowd.as_of),
            asked.get("k", LENGTH),
            candidates=asked.get("candidates") or None,
            readers=_read_readers(given, asked.get("readers") or []),
        )
        return cast(pd.DataFrame, ranked.to_pandas())


def _load_pyfunc(path: str) -> PyfuncModel:
    """Return the version in a folder, ready to answer. MLflow asks for it by this name."""
    return PyfuncModel(Artifact.load(path))


def make_example(crowd: Path) -> pd.DataFrame:
    """Return histories that a version with this crowd can answer: two readers of its newest articles."""
    taken = Crowd.open(crowd)
    newest = taken.articles.sort_by([("published_at", "descending"), ("article_id", "ascending")]).slice(0, 3)
    articles = newest.column("article_id").to_pylist()
    minutes = [timedelta(minutes=1 + number) for number in range(len(articles))]
    first = pd.DataFrame(
        {
            "reader_id": 1,
            "article_id": articles,
            "occurred_at": [(taken.as_of - back).isoformat() for back in minutes],
            "kind": "read",
            "dwell_seconds": 60.0,
        }
    )
    return pd.concat([first, first.head(1).assign(reader_id=2)], ignore_index=True)


def _with_moments(given: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its times as UTC timestamps."""
    frame = given.copy(deep=False)
    for name in MOMENTS:
        if name in frame and not isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            try:
                frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
            except (TypeError, ValueError) as error:
                raise BadInput(
                    f"Column {name} of histories cannot be read as times: {str(error).splitlines()[0]}.",
                    hint="give timestamps, or text such as 2026-11-20T03:00:00Z.",
                ) from error
    return frame


def _last_moment(given: pd.DataFrame, at_least: datetime) -> datetime:
    """Return the moment after which nothing happened."""
    last = given["occurred_at"].max() if "occurred_at" in given else pd.NaT
    return at_least if pd.isna(last) else max(at_least, last.to_pydatetime(warn=False))


def _read_readers(given: pd.DataFrame, more: list[int]) -> pd.DataFrame | None:
    """Return a row per reader with what is said about them; None when nothing is said beyond the histories."""
    told = [name for name in ABOUT_READERS if name in given]
    if not told and not more:
        return None
    about = given.groupby("reader_id", sort=False)[told].last() if told else given[["reader_id"]].drop_duplicates()
    known = about.reset_index() if told else about
    strangers = pd.DataFrame({"reader_id": [one for one in dict.fromkeys(more) if one not in set(known["reader_id"])]})
    return pd.concat([known, strangers.astype({"reader_id": "int64"})], ignore_index=True) if more else known
