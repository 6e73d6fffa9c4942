"""How large the benchmarks are: the short form, about two minutes each with all they need, and the long one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """What one form asks of every benchmark."""

    rows: int  # reading events in one window, about
    windows: int  # windows that are played; extract.large and validate read all of them
    moments: int  # of readers, at most, that features joins; the file store takes about 16 KB of memory for each
    examples: int  # that the ranker learns from
    pairs: int  # that it scores
    fitted_on: int  # examples behind the ranker that scores
    readers: int  # that get candidates
    articles: int  # live ones, which those are taken from
    listed_readers: int  # of the log that `size` tells
    listed_articles_per_day: int
    truth_seeds: int
    truth_readers: int  # in each of its worlds
    truth_sample: int  # whose reachable time is found


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
)
