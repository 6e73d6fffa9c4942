"""Fixtures of contract tests that more than one file needs."""

from __future__ import annotations

import uuid

import pytest

from include.adapters import mlflow_client
from include.core.run import Run
from tests.parts.mail_server import Mailbox
from tests.worlds.reigns import AS_OF


@pytest.fixture
def own_model(monkeypatch):
    """A registered model of the test's own in the MLflow that all share."""
    monkeypatch.setattr(mlflow_client, "MODEL", f"own-{uuid.uuid4().hex}")
    mlflow_client.reach.cache_clear()
    yield
    mlflow_client.reach.cache_clear()


@pytest.fixture
def own_registry(fresh_warehouse, mlflow_server, own_model):
    """Settings of an installation whose ledger, lists and registered model are the test's own.

    The runs of its versions are known to no MLflow, as after somebody emptied it: whatever is decided must be decided
    all the same.
    """
    return fresh_warehouse.model_copy(update={"mlflow_port": mlflow_server.mlflow_port})


@pytest.fixture
def mailbox():
    """A real mail server that keeps what it is sent."""
    box = Mailbox().start()
    yield box
    box.stop()


@pytest.fixture
def decision(own_registry):
    """A run there in which somebody decides."""
    return Run(own_registry, "test/1", AS_OF, "ada")
