"""The benchmarks there are, in the order they run."""

from __future__ import annotations

from collections.abc import Callable

from bench import candidates, extract, features, loop, publish, train, validate
from bench.figures import Figure
from bench.ground import Ground, Say

BENCHES: dict[str, Callable[[Ground, int, Say], list[Figure]]] = {
    "extract": extract.measure,
    "validate": validate.measure,
    "features": features.measure,
    "train": train.measure,
    "candidates": candidates.measure,
    "publish": publish.measure,
    "loop": loop.measure,
}
