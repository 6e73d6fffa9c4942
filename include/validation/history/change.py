"""Change: the distance between two profiles, and missing values against limits learned from earlier days.

Pure functions of profiles (profiles.py). They compare a run with the run before (ANO) and missing values with the days
before (NUL), by effect size and never by p-value: on a million rows everything is significant and little of it matters.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from include.core.checks import Check
from include.core.contract import Rule
from include.core.numbers import write_number
from include.validation.history.profiles import MOST_WORDS, Profile, null_share
from include.validation.limits import ChangeLimits, TableLimits

SLACK = 0.02  # a learned limit is at least this far above the usual share
SPREAD = 5.0  # or this many of the days' own spreads, if larger
NOISE = 4.0  # or this many standard deviations of a share of that many rows, if larger
ROUNDING = 1e-9  # a share of exactly the limit is allowed
MOST_NAMED = 3
TITLES = {
    "ANO101": "numbers are like those of the run before",
    "ANO102": "words are like those of the run before",
    "ANO103": "missing values are like those of the run before",
}


@dataclass(frozen=True)
class Fullness:
    """The largest shares of missing values that are usual for the newest 24 hours, by column, and where they are from.

    `limits` is empty if there is too little to judge by.
    """

    table: str
    newest: Profile
    limits: Mapping[str, float]
    days: int
    needed: str = ""

    def rules(self) -> dict[str, Rule]:
        """Return the rule of each column."""
        return {
            column: Rule(
                f"NUL101 {column}",
                f"{column} is missing no more often than usual",
                column,
                "as_usual",
                (self._parameter(column),),
                "warn",
                spans="window",
            )
            for column in self.limits
        }

    def parameters(self) -> dict[str, float]:
        """Return the limits as Great Expectations gets them: the least share of values that must be there."""
        return {self._parameter(column): max(0.0, 1 - limit - ROUNDING) for column, limit in self.limits.items()}

    def _parameter(self, column: str) -> str:
        return f"{self.table}_{column}_filled"


def learn_null_shares(
    table: str, newest: Profile, days: Sequence[Profile], limits: TableLimits, min_days: int, min_rows: int
) -> Fullness:
    """Return the limit of each column that has values to judge: the one given, else the one learned from the days."""
    past = [day for day in days if day["rows"] >= min_rows]
    if newest["rows"] < min_rows or (len(past) < min_days and not limits.null_share):
        told = f"{newest['rows']:,} rows and {len(past)} earlier days of at least {min_rows} rows"
        return Fullness(table, newest, {}, len(past), f"{told}; {min_rows} and {min_days} are needed")
    found = {}
    for column in newest["columns"]:
        limit = limits.null_share.get(column)
        if limit is None and len(past) >= min_days:
            limit = learned_limit([s for day in past if (s := null_share(day, column)) is not None], newest["rows"])
        if limit is not None and limit < 1:
            found[column] = limit
    return Fullness(table, newest, found, len(past))


def check_null_shares(fullness: Fullness, kept: Container[str]) -> Check:
    """Return one check on the missing values of all columns; `kept` names the rules that the newest 24 hours keep."""
    named = ("NUL101", "as few values are missing as usual", fullness.table)
    if fullness.needed:
        return Check(*named, "info", "not applicable", None, "", f"not judged: {fullness.needed}.")
    over, nearest = [], (-math.inf, "")
    for column, rule in fullness.rules().items():
        share, limit = null_share(fullness.newest, column) or 0.0, fullness.limits[column]
        told = f"{column} {write_number(share, 'share', limit)} (limit {write_number(limit, 'share', share)})"
        nearest = max(nearest, (share - limit, told))
        if rule.code not in kept:
            over.append((share - limit, told))
    days = f"({fullness.days} days of history)"
    worst = ", ".join(told for _, told in sorted(over, reverse=True)[:MOST_NAMED])
    told = f"{len(over)} columns miss more values than allowed {days}: {worst}." if over else ""
    told = told or f"all columns are within their limits {days}; nearest to its limit is {nearest[1] or 'none'}."
    return Check(*named, "warn", "failed" if over else "passed", len(over), "<= 0 columns", told)


def learned_limit(shares: Sequence[float], rows: int) -> float | None:
    """Return the largest usual share of missing values among `rows`, given the shares of the days before."""
    if not shares:
        return None
    middle = median(shares)
    spread = 1.4826 * median([abs(share - middle) for share in shares])
    chance = math.sqrt(middle * (1 - middle) / rows)
    return min(1.0, middle + max(SLACK, SPREAD * spread, NOISE * chance))


def compare(subject: str, now: Profile, then: Profile, limits: ChangeLimits, min_rows: int) -> list[Check]:
    """Return three checks: on the means of numbers, the shares of words, and missing values."""
    few = min(now["rows"], then["rows"])
    if few < min_rows:
        told = f"not judged: {now['rows']:,} rows against {then['rows']:,}; {min_rows} are needed on either side."
        return [Check(c, title, subject, "info", "not applicable", None, "", told) for c, title in TITLES.items()]
    common = [name for name in now["columns"] if name in then["columns"]]
    found: dict[str, list[tuple[float, str]]] = {code: [] for code in TITLES}
    for name in common:
        one, other = now["columns"][name], then["columns"][name]
        if (shift := mean_shift(one, other)) is not None:
            found["ANO101"].append((shift, f"{name} {other['mean']:g} to {one['mean']:g} ({shift:.2f} deviations)"))
        if one["kind"] == "word" == other["kind"] and sum(one["words"].values()) and sum(other["words"].values()):
            distance, told = word_distance(one["words"], other["words"])
            found["ANO102"].append((distance, f"{name} {distance:.2f}{told}"))
        shares = (null_share(now, name), null_share(then, name))
        if shares[0] is not None and shares[1] is not None:
            found["ANO103"].append((abs(shares[0] - shares[1]), f"{name} {_from_to(shares[1], shares[0])}"))
    allowed = {"ANO101": limits.mean_shift, "ANO102": limits.word_distance, "ANO103": limits.null_share}
    return [find_furthest(code, TITLES[code], subject, moved, allowed[code]) for code, moved in found.items() if moved]


def find_furthest(code: str, title: str, subject: str, moved: Iterable[tuple[float, str]], limit: float) -> Check:
    """Return the check that no column moved beyond the limit, given how far each moved and its sentence."""
    moved = sorted(moved, key=lambda one: (-one[0], one[1]))
    off = [told for size, told in moved if size > limit]
    told = f"{len(off)} of {len(moved)} columns moved: {', '.join(off[:MOST_NAMED])}." if off else ""
    told = told or f"all {len(moved)} columns are within the limit; the furthest is {moved[0][1]}."
    return Check(code, title, subject, "warn", "failed" if off else "passed", moved[0][0], f"<= {limit:g}", told)


def mean_shift(now: Mapping[str, Any], then: Mapping[str, Any]) -> float | None:
    """Return how far the mean moved, in standard deviations of the earlier values; None without a mean on both sides.

    A deviation counts as at least a third of the mean, because a number that hardly varies would move by many.
    """
    if now["kind"] != "number" or then["kind"] != "number" or now["mean"] is None or then["mean"] is None:
        return None
    deviation = max(then["std"], abs(then["mean"]) / 3) or 1.0
    return float(abs(now["mean"] - then["mean"]) / deviation)


def word_distance(now: Mapping[str, int], then: Mapping[str, int]) -> tuple[float, str]:
    """Return the share of rows that would need another word to look as before, and the words that moved most.

    Only the most frequent words are counted, so a word counts as absent only where all words were counted.
    """
    total_now, total_then = sum(now.values()), sum(then.values())
    cut = len(now) >= MOST_WORDS or len(then) >= MOST_WORDS
    names = sorted(set(now) & set(then)) if cut else sorted(set(now) | set(then))
    steps = {name: now.get(name, 0) / total_now - then.get(name, 0) / total_then for name in names}
    most = sorted(steps, key=lambda name: (-abs(steps[name]), name))[:2]
    told = ", ".join(
        f"{name!r} {_from_to(then.get(name, 0) / total_then, now.get(name, 0) / total_now)}" for name in most
    )
    return sum(abs(step) for step in steps.values()) / 2, f" ({told})" if told else ""


def _from_to(then: float, now: float) -> str:
    return f"{write_number(then, 'share', now)} to {write_number(now, 'share', then)}"
