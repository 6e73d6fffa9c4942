"""Who may open which page, and where a browser reaches the pages."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, Request

from include.operations.status_page.parts import Places

# Without this, a plugin's routes are public. Pages are about runs: whoever may read runs may read them.
may_look = [Depends(requires_access_dag("GET", DagAccessEntity.RUN))]
# A reader's list is personal data: only whoever may start runs, so not Airflow's viewers, may open it.
may_look_at_readers = [Depends(requires_access_dag("POST", DagAccessEntity.RUN))]


def sees_readers(user: GetUserDep) -> bool:
    """Return whether this person may open readers' pages, so that others are shown no link to them."""
    return get_auth_manager().is_authorized_dag(method="POST", access_entity=DagAccessEntity.RUN, user=user)


SeesReaders = Annotated[bool, Depends(sees_readers)]


def places_of(request: Request) -> Places:
    """Return the addresses of the pages and of Airflow in this browser."""
    home = request.scope["root_path"]
    return Places(home, home.removesuffix("/daybreak"))
