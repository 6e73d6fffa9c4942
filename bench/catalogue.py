"""The benchmarks there are, in the order they run, with what each needs and the size that its figures are of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench import candidates, extract, features, loop, publish, size, train, validate
from bench.figures import Figure
from bench.ground import NEWSROOM, Ground, Say
from bench.sizes import Sizes


@dataclass(frozen=True)
class Bench:
    """A benchmark: what measures it, the size in words (fields of `Sizes` in braces), and what the ground must hold."""

    measure: Callable[[Ground, int, Say], list[Figure]]
    size: str
    needs: tuple[str, ...] = ()
    is_on_request: bool = False

    def tell_size(self, sizes: Sizes) -> str:
        """The size that figures of this benchmark are of."""
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
