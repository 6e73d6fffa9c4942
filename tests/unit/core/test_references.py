"""References: small, frozen, and the same after a journey as JSON."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest

from include.core.references import Reference

REFERENCE = Reference(
    "model", "7", "models:/daybreak/7", datetime(2026, 11, 20, tzinfo=UTC), "abc", ("f", "s"), {"rows": 3, "why": None}
)


def test_a_reference_survives_its_journey_as_json():
    assert Reference.from_dict(json.loads(json.dumps(REFERENCE.to_dict()))) == REFERENCE


def test_a_reference_without_facts_travels_too():
    bare = Reference("model", "7", "u", REFERENCE.as_of, "abc")
    assert Reference.from_dict(json.loads(json.dumps(bare.to_dict()))).facts == {}


def test_a_reference_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        REFERENCE.id = "8"
