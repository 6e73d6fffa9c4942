"""References: the small records that stages pass to each other instead of frames.

A reference names an artifact (kind, id) and holds its location (uri), its moment (as_of), a digest of its content
(fingerprint) and the ids of its inputs (parents). It travels through XCom as a plain dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from include.core.clock import parse_moment


@dataclass(frozen=True)
class Reference:
    """A reference to one artifact. `facts` holds only a few small numbers worth showing (rows, readers)."""

    kind: str
    id: str
    uri: str
    as_of: datetime
    fingerprint: str
    parents: tuple[str, ...] = ()
    facts: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the reference as JSON-ready data, for XCom, manifests and the run record."""
        return {
            **asdict(self),
            "as_of": self.as_of.isoformat(),
            "parents": list(self.parents),
            "facts": dict(self.facts or {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reference:
        """Return the reference from the output of `to_dict`."""
        return cls(**{**data, "as_of": parse_moment(data["as_of"]), "parents": tuple(data["parents"])})
