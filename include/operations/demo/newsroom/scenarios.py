"""Rehearsals on the demo newsroom: a function for each surprise that a real publisher may have for Daybreak.

`drift`, `breaking` and `outage` take effect from the moment played so far, once `play` continues; `corrupt` and `late`
write their rows at once. All are recorded, and random by the world's seed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from include.core.errors import DaybreakError
from include.core.settings import Settings
from include.operations.demo.newsroom import tables
from include.operations.demo.newsroom.world import Scenario, to_moment

HERE = Path(__file__).parent


def drift(settings: Settings, *, share: float = 0.7, groups: int = 4) -> dict[str, Any]:
    """From now on, give this share of the readers the taste of another taste group (`groups` further)."""
    _check_share(share)
    return _ask_for(settings, "drift", share=share, groups=groups)


def breaking(settings: Settings, *, boost: float = 4.0) -> dict[str, Any]:
    """Make the next published story one that every reader opens, for some hours."""
    return _ask_for(settings, "breaking", boost=boost)


def outage(settings: Settings, *, hours: float = 6.0) -> dict[str, Any]:
    """Leave visits of the next hours out of the log; stories are still published."""
    if hours <= 0:
        raise DaybreakError(f"An outage of {hours:g} hours is not possible.", hint="give a number of hours above 0.")
    return _ask_for(settings, "outage", hours=hours)


def corrupt(settings: Settings, *, share: float = 0.05) -> dict[str, Any]:
    """Add wrong rows of eight kinds in equal parts; `share` is relative to the newest day's rows.

    Duplicate number, no reader, unknown reader, unknown article, unknown kind, negative dwell, read without dwell,
    time in the future.
    """
    _check_share(share)
    return _write_now(settings, "corrupt", share)


def late(settings: Settings, *, share: float = 0.02) -> dict[str, Any]:
    """Add clicks and reads that happened one to two days ago and are received at the moment played so far.

    `share` is the share of that day's impressions that turn out to have been read.
    """
    _check_share(share)
    return _write_now(settings, "late", share)


def _check_share(share: float) -> None:
    if not 0 < share <= 1:
        raise DaybreakError(f"A share of {share} is out of range.", hint="give a number above 0 and at most 1.")


def _ask_for(settings: Settings, name: str, **parameters: float) -> dict[str, Any]:
    with tables.open_newsroom(settings) as newsroom:
        state = _played(tables.load_state(newsroom) if tables.exists(newsroom) else None)
        tables.save_scenario(newsroom, Scenario(name, state.played_until_us, parameters))
        return {"scenario": name, "starts": to_moment(state.played_until_us), **parameters}


def _write_now(settings: Settings, name: str, share: float) -> dict[str, Any]:
    with tables.open_newsroom(settings) as newsroom:
        state = _played(tables.load_state(newsroom) if tables.exists(newsroom) else None)
        until = to_moment(state.played_until_us)
        asked_before = len(tables.load_scenarios(newsroom))
        statement = (HERE / f"{name}.sql").read_text()
        with newsroom.transaction():
            bound = {
                "until": until,
                "share": share,
                "hits": state.hits_count,
                "seed": state.parameters.seed + 1000 * (asked_before + 1),
            }
            rows = newsroom.execute(statement, bound).rowcount
            state.hits_count += rows
            tables.save_state(newsroom, state)
            tables.save_scenario(newsroom, Scenario(name, state.played_until_us, {"share": share}))
        return {"scenario": name, "starts": until, "share": share, "rows": rows}


def _played(state: tables.State | None) -> tables.State:
    if state is None:
        raise DaybreakError(
            "The demo newsroom has not been played yet.", hint="run `bin/daybreak newsroom play` first."
        )
    return state
