"""A batch beside the lists that readers see now: how many places stay, how many readers get fewer articles."""

from __future__ import annotations

from dataclasses import dataclass

from include.adapters.warehouse import connect, query
from include.core.settings import Settings


@dataclass(frozen=True)
class BesideLive:
    """A batch counted against the live one; nought of the live one when there is none."""

    same_places: int
    live_places: int
    articles: int
    live_articles: int
    readers: int
    live_readers: int
    readers_with_fewer: int

    @property
    def kept_share(self) -> float:
        """The share of live places that stay as they are."""
        return self.same_places / max(1, self.live_places)

    @property
    def sentence(self) -> str:
        """The difference in words."""
        if not self.live_places:
            return f"No lists are live yet; these give {self.readers:,} readers {self.articles:,} different articles."
        return (
            f"{self.same_places:,} of {self.live_places:,} live places stay ({self.kept_share:.0%}); these lists hold "
            f"{self.articles:,} different articles, the live ones {self.live_articles:,}; {self.readers:,} readers get "
            f"a list against {self.live_readers:,}, {self.readers_with_fewer:,} of them a shorter one."
        )


def compare_with_live(settings: Settings, batch_id: str) -> BesideLive:
    """How the batch differs from the live one, counted in PostgreSQL."""
    with connect(settings) as warehouse:
        row = warehouse.execute(query("lists/beside_live"), {"batch_id": batch_id}).fetchone()
    return BesideLive(*row) if row else BesideLive(*(0,) * 7)
