"""Who may open which page, and where a browser reaches the pages."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request

from daybreak_airflow.ui.inside import Refused
from include.operations.status_page.actions import ACTIONS, Action
from include.operations.status_page.parts import Places

# Without this, a plugin's routes are public. Pages are about runs: whoever may read runs may read them.
may_look = [Depends(requires_access_dag("GET", DagAccessEntity.RUN))]
# A reader's list is personal data: only whoever may start runs, so not Airflow's viewers, may open it.
may_look_at_readers = [Depends(requires_access_dag("POST", DagAccessEntity.RUN))]


def sees_readers(user: GetUserDep) -> bool:
    """Return whether this person may open readers' pages, so that others are shown no link to them."""
    return get_auth_manager().is_authorized_dag(method="POST", access_entity=DagAccessEntity.RUN, user=user)


SeesReaders = Annotated[bool, Depends(sees_readers)]


def is_allowed(action: Action, user: BaseUser) -> bool:
    """Return whether this person may do what the action does, by their own rights in Airflow."""
    return get_auth_manager().is_authorized_dag(
        method="PUT" if action.name == "answer" else "POST",
        access_entity=DagAccessEntity.HITL_DETAIL if action.name == "answer" else DagAccessEntity.RUN,
        details=DagDetails(id=action.dag_id, team_name=DagModel.get_team_name(action.dag_id)),
        user=user,
    )


def find_action(name: str, user: GetUserDep) -> Action:
    """Return the action in the address; refuse a person who may not do it."""
    if name not in ACTIONS:
        raise HTTPException(404, "There is no such action.")
    action = ACTIONS[name]
    if not is_allowed(action, user):
        right = "answer the questions of approve" if name == "answer" else f"start runs of {action.dag_id}"
        raise Refused(403, f"{action.title}: your role in Airflow does not allow it. It takes the right to {right}.")
    return action


def find_allowed(user: GetUserDep) -> frozenset[str]:
    """Return the actions that this person may do, so that others are shown no buttons."""
    return frozenset(name for name, action in ACTIONS.items() if is_allowed(action, user))


Allowed = Annotated[Action, Depends(find_action)]
AllAllowed = Annotated[frozenset[str], Depends(find_allowed)]


def places_of(request: Request) -> Places:
    """Return the addresses of the pages and of Airflow in this browser."""
    home = request.scope["root_path"]
    return Places(home, home.removesuffix("/daybreak"))
