"""The demo newsroom: a seeded, simulated publisher with readers and stories, to try Daybreak before there is real data.

Belongs here: the publisher's side of the contract: its own tables, and the three views of schema `source` that map them
as a customer would. Does not belong here: Daybreak itself, which never imports this package and only sees the views.
`truth.py` knows what readers really like, so a model can be measured against it.
"""

from __future__ import annotations

from include.operations.demo.newsroom.play import load_world, play
from include.operations.demo.newsroom.tables import Busy, create, show
from include.operations.demo.newsroom.truth import expected_dwell, live_articles

__all__ = ["Busy", "create", "expected_dwell", "live_articles", "load_world", "play", "show"]
