"""The sizes of the benchmarks: the short form, about two minutes each including preparations, and the long form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of all benchmarks in one form."""

    rows: int  # about how many reading events in a window
    windows: int  # played windows; extract.large and validate read all of them
    moments: int  # most moments that features joins; the file store takes about 16 KB of memory for each
    examples: int  # examples that the ranker learns from
    pairs: int  # pairs that the ranker scores
    fitted_on: int  # examples that the scoring ranker learnt from
    readers: int  # readers that get candidates
    articles: int  # live articles to choose candidates from
    listed_readers: int  # readers in the log of `size`
    listed_articles_per_day: int
    truth_seeds: int
    truth_readers: int  # readers in each world
    truth_sample: int  # readers whose reachable time is measured
    monitor_seeds: int
    monitor_windows_per_day: int


SHORT = Sizes(
    rows=100_000,
    windows=2,
    moments=2_000,
    examples=100_000,
    pairs=300_000,
    fitted_on=10_000,
    readers=1_500,
    articles=30_000,
    listed_readers=2_000,
    listed_articles_per_day=14_400,
    truth_seeds=1,
    truth_readers=600,
    truth_sample=30,
    monitor_seeds=1,
    monitor_windows_per_day=2,
)
LONG = Sizes(
    rows=1_000_000,
    windows=3,
    moments=100_000,
    examples=1_000_000,
    pairs=3_000_000,
    fitted_on=100_000,
    readers=15_000,
    articles=144_000,
    listed_readers=500_000,
    listed_articles_per_day=144_000,
    truth_seeds=3,
    truth_readers=3_000,
    truth_sample=300,
    monitor_seeds=3,
    monitor_windows_per_day=24,
)
