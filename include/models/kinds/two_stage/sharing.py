"""Tables that all requests of some scenes share, computed once: topics, rates, languages, standings and offers.

Belongs here: caching them for later requests on the same articles. Does not belong here: anything about a reader.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.features.scene_tables import open_tables
from include.features.scenes import Scenes
from include.models.kinds.queries import run
from include.models.kinds.two_stage.regional import find_regional
from include.models.kinds.two_stage.tasting import NOTHING, list_met
from include.models.kinds.two_stage.topics import find_topics

Parts = dict[str, Any]
Tables = dict[str, pa.Table]

OFFERED = {"trending": 40, "leading": 10, "fresh": 5, "topical": 30}


class Shared:
    """A cache of facts about articles. Concurrent callers may each compute them and get the same result."""

    def __init__(self, tastes: Parts) -> None:
        self._tastes = tastes
        self._topics = (NOTHING["topics"], NOTHING["topics"])  # a catalogue, and its topics found so far
        self._tables: tuple[tuple[pa.Table, ...], Tables] = ((), {})  # live articles and catalogue, and their tables

    def tables_of(self, scenes: Scenes) -> Tables:
        """Return the tables that queries join for all requests of the scenes."""
        topics, (known, tables) = self._find_topics(scenes), self._tables
        asked = (scenes.articles, scenes.catalogue)
        if len(known) < len(asked) or any(one is not other for one, other in zip(known, asked, strict=True)):
            tables = self._stand(scenes, topics)
            self._tables = (asked, tables)
        return {**tables, "topics": topics}

    def _find_topics(self, scenes: Scenes) -> pa.Table:
        """Return the topics of at least the articles that are live or were met."""
        if not self._tastes:
            return NOTHING["topics"]
        catalogue, found = self._topics
        if catalogue is not scenes.catalogue:
            found = NOTHING["topics"]
        met = list_met(scenes)
        new = met.filter(pc.invert(pc.is_in(met, found.column("article_id"))))
        if len(new):
            about = scenes.catalogue.filter(pc.is_in(scenes.catalogue.column("article_id"), new))
            found = pa.concat_tables([found, find_topics(self._tastes["topics"], about.sort_by("article_id"))])
            self._topics = (scenes.catalogue, found)
        return found

    def _stand(self, scenes: Scenes, topics: pa.Table) -> Tables:
        tables = {"age_rates": NOTHING["age_rates"], "usual_languages": NOTHING["usual_languages"]}
        if self._tastes:
            tables = {name: pa.table(self._tastes[name]).cast(NOTHING[name].schema) for name in tables}
        live = pc.unique(scenes.articles.column("article_id"))
        about = scenes.catalogue.filter(pc.is_in(scenes.catalogue.column("article_id"), live)).sort_by("article_id")
        tables["regional"] = find_regional(self._tastes.get("regional", {}), about)
        with open_tables(scenes, **tables, topics=topics) as connection:
            for name in ("standings", "offers", "topical"):
                tables[name] = run(connection, name, **OFFERED)
                connection.register(name, tables[name])
        return tables
