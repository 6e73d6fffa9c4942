"""What decisions are made on: an installation with a registry of its own, and its champions."""

from __future__ import annotations

import pytest

from tests.worlds.reigns import two_and_a_challenger


@pytest.fixture
def settings(own_registry):
    return own_registry


@pytest.fixture
def two(settings):
    """Two champions in turn, and a challenger."""
    two_and_a_challenger(settings)
