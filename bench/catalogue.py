"""The benchmarks in the order they run, with the needs and the size of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench import candidates, extract, features, loop, publish, size, train, validate
from bench.figures import Figure
from bench.installation import NEWSROOM, Installation, Say
from bench.sizes import Sizes


@dataclass(frozen=True)
class Bench:
    """A benchmark: its measuring function, its size in words (fields of `Sizes` in braces), and services it needs."""

    measure: Callable[[Installation, int, Say], list[Figure]]
    size: str
    needs: tuple[str, ...] = ()
    is_on_request: bool = False

    def describe_size(self, sizes: Sizes) -> str:
        """Return the size of this benchmark in words."""
        return self.size.format(**vars(sizes))


WINDOW = "a window of {rows:,} events"
BENCHES = {
    "extract": Bench(extract.measure, f"{WINDOW}, {{windows}} of them in extract.large", ("postgres", NEWSROOM)),
    "validate": Bench(validate.measure, "{windows} windows of {rows:,} events", ("postgres", NEWSROOM)),
    "features": Bench(features.measure, f"{{moments:,}} moments at most, {WINDOW}", ("postgres", NEWSROOM)),
    "train": Bench(train.measure, "{examples:,} examples, {pairs:,} pairs"),
    "candidates": Bench(candidates.measure, "{readers:,} readers, {articles:,} articles"),
    "publish": Bench(publish.measure, "lists after {rows:,} events", ("postgres",)),
    "loop": Bench(loop.measure, WINDOW, ("postgres", "mlflow", NEWSROOM)),
    "size": Bench(
        size.measure,
        "{listed_readers:,} readers, {listed_articles_per_day:,} articles a day",
        ("postgres",),
        is_on_request=True,
    ),
}
