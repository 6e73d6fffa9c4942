"""Tuned parameters: the result of the newest finished search for a model, while it is recent enough to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from include.adapters.warehouse import connect, query
from include.core.numbers import write_number
from include.core.settings import Settings


@dataclass(frozen=True)
class Tuned:
    """The best parameters of a search (empty: the model as it is), and their score."""

    tuning_id: str
    as_of: datetime
    snapshot_id: str
    parameters: Mapping[str, float]
    score: float
    usual_score: float

    @property
    def sentence(self) -> str:
        """Return a sentence about the result, for people."""
        chosen = ", ".join(f"{name} {value:g}" for name, value in sorted(self.parameters.items())) or "as it is"
        gain = self.score / self.usual_score - 1 if self.usual_score else 0.0
        return (
            f"Tuned as of {self.as_of:%Y-%m-%d %H:%M} UTC on snapshot {self.snapshot_id}: {chosen}; time-weighted "
            f"NDCG {write_number(self.score, 'score', self.usual_score)}, "
            f"{write_number(self.usual_score, 'score', self.score)} as it is ({100 * gain:+.1f} %)."
        )


def find_tuned(settings: Settings, model: str, as_of: datetime) -> Tuned | None:
    """Return the tuned parameters for training as of a moment; None without a recent enough search."""
    asked = {"model": model, "as_of": as_of, "oldest": as_of - timedelta(days=settings.tuned_max_age_days)}
    with connect(settings) as warehouse, warehouse.cursor(row_factory=class_row(Tuned)) as cursor:
        return cursor.execute(query("models/newest_tuning"), asked).fetchone()
