"""Compare a batch with the live lists: places that stay the same, and readers who get fewer articles."""

from __future__ import annotations

from dataclasses import dataclass

from include.adapters.warehouse import connect, query
from include.core.numbers import write_number
from include.core.settings import Settings


@dataclass(frozen=True)
class BesideLive:
    """The counts of a batch and of the live one; the latter are 0 when no batch is live."""

    same_places: int
    live_places: int
    articles: int
    live_articles: int
    readers: int
    live_readers: int
    readers_with_fewer: int

    @property
    def kept_share(self) -> float:
        """Return the share of live places that stay the same."""
        return self.same_places / max(1, self.live_places)

    @property
    def sentence(self) -> str:
        """Describe the difference."""
        if not self.live_places:
            return f"No lists are live yet; these show {self.readers:,} readers {self.articles:,} different articles."
        kept = write_number(self.kept_share, "share")
        return (
            f"{self.same_places:,} of {self.live_places:,} live places stay the same ({kept}); these lists hold "
            f"{self.articles:,} different articles, the live ones {self.live_articles:,}; {self.readers:,} readers get "
            f"a list (now {self.live_readers:,}), {self.readers_with_fewer:,} of them a shorter one."
        )


def compare_with_live(settings: Settings, batch_id: str) -> BesideLive:
    """Compare the batch with the live one, in PostgreSQL."""
    with connect(settings) as warehouse:
        row = warehouse.execute(query("lists/beside_live"), {"batch_id": batch_id}).fetchone()
    return BesideLive(*row) if row else BesideLive(*(0,) * 7)
