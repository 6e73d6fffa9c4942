"""Features: facts about readers and articles known at a moment, the same for training and for scoring."""

from __future__ import annotations

from include.features.scene_tables import open_tables
from include.features.scenes import Scenes, open_outcomes, open_scenes, rows_between

__all__ = ["Scenes", "open_outcomes", "open_scenes", "open_tables", "rows_between"]
