"""The stages, in the order of the flow: each loads, computes, stores and returns a reference.

DAGs and the command line call only these, and rooms meet only here. A stage may run again at any time: its output
follows from its inputs, so a second run gives the same result. A stage is imported on first use, so that running one
does not load the libraries of all.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# stage -> the module of this folder that holds it
STAGES = {
    # from the publisher's rows to a champion
    "extract": "preparing",
    "validate": "preparing",
    "build_features": "preparing",
    "train": "training",
    "judge": "judging",
    "promote": "deciding",
    # when a verdict leaves the decision to a person
    "ask": "deciding",
    "find_question": "deciding",
    "answer": "deciding",
    # from the champion to live lists
    "score": "publishing",
    "write_batch": "publishing",
    "audit": "publishing",
    "publish": "publishing",
    # from live lists to their success with readers
    "watch": "watching",
    "guard": "going_back",
    "roll_back": "going_back",
    # by hand
    "hold": "holding",
    "take_down": "taking_down",
    "shadow": "publishing",
    "replay": "replaying",
    "tune": "tuning",
    "backtest": "backtesting",
    "reproduce": "reproducing",
}


def __getattr__(name: str) -> Any:
    if name not in STAGES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{STAGES[name]}"), name)
