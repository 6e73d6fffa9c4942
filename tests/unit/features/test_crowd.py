"""The world around whoever asks: moved to a moment, not counted anew."""

from __future__ import annotations

from datetime import timedelta

from include.features.crowd import World
from tests.worlds.scenes import NOW, an_article, scenes


def test_all_who_ask_at_one_moment_see_the_very_same_world():
    """A model reuses what it worked out for a world, which it recognises by its tables."""
    world = World(NOW, scenes([1], [an_article(1), an_article(2)]))
    for moment in (NOW + timedelta(minutes=1), NOW + timedelta(minutes=2), NOW + timedelta(minutes=1)):
        first, again = world.at(moment), world.at(moment)
        assert again.articles is first.articles
        assert again.co_reads is first.co_reads
        assert first.articles.column("list_at").to_pylist() == [moment] * 2
        assert len(world._moved) == 1
    assert world.at(NOW) is world.scenes
