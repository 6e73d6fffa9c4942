"""Scenarios: lasting changes of the demo's world, as a real publisher meets them, from the moment played so far on.

They are part of the world from then on, recorded, and random by its seed. What breaks Daybreak's day and is mended
again is a rehearsal (`include/operations/demo/rehearsals`).
"""

from __future__ import annotations

from typing import Any

from include.core.errors import DaybreakError
from include.core.settings import Settings
from include.operations.demo.newsroom import tables
from include.operations.demo.newsroom.world import Scenario, to_moment


def drift(settings: Settings, *, share: float = 0.7, groups: int = 4) -> dict[str, Any]:
    """From now on, give this share of the readers the taste of another taste group (`groups` further)."""
    _check_share(share)
    return _ask_for(settings, "drift", share=share, groups=groups)


def breaking(settings: Settings, *, boost: float = 4.0) -> dict[str, Any]:
    """Make the next published story one that every reader opens, for some hours."""
    return _ask_for(settings, "breaking", boost=boost)


def _check_share(share: float) -> None:
    if not 0 < share <= 1:
        raise DaybreakError(f"A share of {share} is out of range.", hint="give a number above 0 and at most 1.")


def _ask_for(settings: Settings, name: str, **parameters: float) -> dict[str, Any]:
    with tables.open_newsroom(settings) as newsroom:
        state = _played(tables.load_state(newsroom) if tables.exists(newsroom) else None)
        tables.save_scenario(newsroom, Scenario(name, state.played_until_us, parameters))
        return {"scenario": name, "starts": to_moment(state.played_until_us), **parameters}


def _played(state: tables.State | None) -> tables.State:
    if state is None:
        raise DaybreakError(
            "The demo newsroom has not been played yet.", hint="run `bin/daybreak newsroom play` first."
        )
    return state
