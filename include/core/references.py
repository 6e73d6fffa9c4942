"""What stages hand each other: small references, never frames.

A reference names an artifact (kind, id), says where it lies (uri), as of when it is true, what its content is
(fingerprint) and what it was made from (parents). It travels through XCom as a plain dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from include.core.clock import parse_moment


@dataclass(frozen=True)
class Reference:
    """One artifact of the flow. `facts` holds a few small numbers worth showing (rows, readers), nothing more."""

    kind: str
    id: str
    uri: str
    as_of: datetime
    fingerprint: str
    parents: tuple[str, ...] = ()
    facts: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The reference as JSON-ready data, for XCom, manifests and the run record."""
        return {
            **asdict(self),
            "as_of": self.as_of.isoformat(),
            "parents": list(self.parents),
            "facts": dict(self.facts or {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reference:
        """The reference that `to_dict` described."""
        return cls(**{**data, "as_of": parse_moment(data["as_of"]), "parents": tuple(data["parents"])})
