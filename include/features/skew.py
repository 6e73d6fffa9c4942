"""Skew: compare the features that lists are made from with those the champion was trained on.

Belongs here: the profile of a build, kept as long as a model trained on it may be champion, and the checks between two
profiles. Training has only readers who came back within hours and scoring has all, so some distance is normal; the
limits under `skew` in `include/validation/limits.toml` leave room for it.
"""

from __future__ import annotations

from pathlib import Path

from include.adapters import duck
from include.core.checks import Check
from include.core.settings import Settings
from include.data.store import read_json, write_json
from include.features.build import VIEWS
from include.validation.history.change import Codes, compare
from include.validation.history.profiles import VERSION, Profile, measure
from include.validation.limits import load_limits

CODES = Codes(numbers="SKW101", words="SKW102", nulls="SKW103", against="the training")


def keep_profile(settings: Settings, build: Path) -> Path:
    """Return the path of a training build's profile, measuring it if needed; the profile outlives the build."""
    path = _place(settings, build.name)
    if not path.exists():
        write_json(path, profile_build(build))
    return path


def _place(settings: Settings, build_id: str) -> Path:
    return settings.home / "features" / "profiles" / f"{build_id}-{VERSION}.json"


def profile_build(build: Path) -> dict[str, Profile]:
    """Return the profile of every view of a build."""
    found = {}
    for view in VIEWS:
        with duck.connect() as connection:
            found[view] = measure(connection.read_parquet(str(build / view / "part.parquet")))
    return found


def check(settings: Settings, trained_on: str, scored: Path) -> list[Check]:
    """Return the checks of a scoring build against the build (by id) that the champion was trained on."""
    limits, build = load_limits(), settings.home / "features" / trained_on
    if not _place(settings, trained_on).exists() and not build.exists():
        told = f"not judged: neither a profile nor the files of {trained_on} are left."
        named = ("SKW104", "features are those of the training")
        return [Check(*named, view, "info", "not applicable", None, "", told) for view in VIEWS]
    then, now = read_json(keep_profile(settings, build)), profile_build(scored)
    checks = []
    for view in VIEWS:
        checks += compare(view, now[view], then[view], limits.skew, CODES, limits.min_rows)
        checks.append(_check_columns(view, now[view], then[view]))
    return sorted(checks, key=lambda one: (one.code, one.subject))


def _check_columns(view: str, now: Profile, then: Profile) -> Check:
    """Check that both sides have the same columns, of the same kinds."""
    kinds = [{name: figures["kind"] for name, figures in side["columns"].items()} for side in (now, then)]
    unlike = sorted(name for name in {*kinds[0], *kinds[1]} if kinds[0].get(name) != kinds[1].get(name))
    told = f"{len(unlike)} of {len(kinds[1])} columns differ: {', '.join(unlike)}." if unlike else "no column differs."
    return Check(
        "SKW104",
        "features are those of the training",
        view,
        "warn",
        "failed" if unlike else "passed",
        len(unlike),
        "<= 0",
        told,
    )
