"""What every contract of the alerts needs: an installation with nothing told yet, and a mail server."""

from __future__ import annotations

import pytest

from include.adapters.warehouse import connect
from tests.parts.servers import free_port


@pytest.fixture
def settings(warehouse, tmp_path):
    """Settings with no incident, an empty outbox and an empty state folder."""
    with connect(warehouse) as connection:
        for table in ("alerts", "incidents", "mutes", "refused_runs"):
            connection.execute(f"delete from ops.{table}")
        connection.execute("delete from recs.live")
        connection.execute("delete from recs.batches")
    return warehouse.model_copy(update={"home": tmp_path})


@pytest.fixture
def no_warehouse(settings):
    """The same installation while its database does not answer."""
    return settings.model_copy(update={"postgres_port": free_port()})
