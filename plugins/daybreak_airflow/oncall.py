"""Tell on-call that a run failed, after the last retry, and that what failed works again.

The same notifier of failures is set on tasks and on DAGs. The task's knows the error; the run's comes later and counts
only when the task could not report (killed by the system, out of memory, machine lost). That a run succeeded is told by
the DAG alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseHook, BaseNotifier
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from include.alerts.channels import MailConnection
    from include.alerts.incidents import Success
    from include.alerts.outbox import Channels
    from include.alerts.wording import Failure
    from include.core.settings import Settings

MAIL = "smtp_default"
RUN_TIMED_OUT = "timed_out"  # Airflow's reason
TOO_SLOW = "AirflowTaskTimeout"

log = logging.getLogger(__name__)


class Untemplated(BaseNotifier):
    """A notifier without templates."""

    def render_template_fields(self, context: Mapping[str, Any], jinja_env: Any = None) -> None:
        """Do nothing: Airflow's rendering fails on some of its own contexts."""


class Oncall(Untemplated):
    """Let a failed run open or join its incident, and mail what is due at once."""

    def notify(self, context: Mapping[str, Any]) -> None:
        """Report the run's failure unless it was reported already, or the run was refused for its form."""
        from daybreak_airflow.connections import connected_settings
        from include.alerts.reporting import refuse, report
        from include.core.errors import FormRefused

        if is_refused(context):
            log.info("No mail: the run was refused for its form, and the log of its task says why.")
            return
        settings = connected_settings()
        if isinstance(context.get("exception"), FormRefused):
            refuse(settings, *name_of(context))
            log.info("No mail: the task refused the form, and its log says why.")
            return
        report(settings, failure_of(settings, context), channels(settings))


class AllClear(Untemplated):
    """Let a run that succeeded close the incidents that had stopped its DAG, and mail that they are over."""

    def notify(self, context: Mapping[str, Any]) -> None:
        """Report the run's success; one all of whose tasks were skipped has no context and says nothing."""
        from daybreak_airflow.connections import connected_settings
        from include.alerts.reporting import report_success

        if context.get("dag_run") is None:
            log.info("Every task was skipped, so the run says nothing of what had failed.")
            return
        settings = connected_settings()
        report_success(settings, success_of(settings, context), channels(settings))


def is_refused(context: Mapping[str, Any]) -> bool:
    """Return whether the form alone shows that the run cannot have done anything, at task and at DAG level alike."""
    from daybreak_airflow.runs import refuse_form
    from include.core.errors import FormRefused

    if context.get("dag_run") is None:
        return False
    try:
        refuse_form(context)
    except FormRefused:
        return True
    return False


def channels(settings: Settings) -> Channels:
    """Return the channels to on-call, mail through Airflow's connection if there is one."""
    from include.alerts.channels import find_channels

    return find_channels(settings, _find_connection())


def _find_connection() -> MailConnection | None:
    from include.alerts.channels import MailConnection

    try:
        found = BaseHook.get_connection(MAIL)
    except AirflowNotFoundException:
        return None
    except Exception as error:  # no error of a secrets backend may lose the alert
        log.warning("Connection %s is not known: %s. The settings hold.", MAIL, error)
        return None
    return MailConnection(found.host, found.port, found.login, found.password, found.extra_dejson)


def failure_of(settings: Settings, context: Mapping[str, Any]) -> Failure:
    """Return the failure from the context; at DAG level, and after a kill, much of it is missing."""
    from daybreak_airflow.runs import run_type
    from include.alerts.wording import Failure

    dag_run, ti = context.get("dag_run"), context.get("ti")
    dag_id, run_id = name_of(context)
    error = context.get("exception")
    return Failure(
        dag_id=dag_id,
        run_id=run_id,
        run_type=run_type(context) if dag_run else "",
        as_of=moment_of(context),
        task_id=ti.task_id if ti else "",
        tries=ti.try_number if ti else 0,
        kind=TOO_SLOW if context.get("reason") == RUN_TIMED_OUT else kind_of(error),
        fact=getattr(error, "fact", None) or sentence(error, context.get("reason")),
        hint=getattr(error, "hint", ""),
        run_url=f"{settings.airflow_url}/dags/{dag_id}/runs/{quote(run_id)}",
        log_url=ti.log_url if ti else "",
        report_url=report_of(settings, context, error),
        findings=tuple(getattr(error, "findings", ())),
        about=getattr(error, "about", ""),
        is_past=is_past(context),
        is_of_run=error is None,
    )


def success_of(settings: Settings, context: Mapping[str, Any]) -> Success:
    """Return what a run that succeeded says of incidents."""
    from daybreak_airflow.runs import mode
    from include.alerts.incidents import Success
    from include.pipeline.decide import stops_early

    past = is_past(context)
    ended_early = not past and stops_early(mode(context), settings.gate_mode)
    return Success(*name_of(context), moment_of(context), past, ended_early)


def name_of(context: Mapping[str, Any]) -> tuple[str, str]:
    """Return the ids of the DAG and the run."""
    if dag_run := context.get("dag_run"):
        return dag_run.dag_id, dag_run.run_id
    return context["dag"].dag_id, context["run_id"]


def is_past(context: Mapping[str, Any]) -> bool:
    """Return whether the run works as of a moment that a backfill or a form names; no reader waits for such a run."""
    from daybreak_airflow.runs import is_backfill

    if context.get("dag_run") is None:
        return str(context["run_id"]).startswith("backfill__")
    return is_backfill(context) or bool((context.get("params") or {}).get("as_of"))


def moment_of(context: Mapping[str, Any]) -> Any:
    """Return the run's as_of; None when it is unknown or the cause of the failure."""
    from daybreak_airflow.runs import as_of
    from include.core.errors import DaybreakError

    try:
        return as_of(context)
    except (DaybreakError, KeyError):
        return None


def kind_of(error: Any) -> str:
    """Return the name of the error's class, the key to its guide; empty for a task that could not report."""
    return type(error).__name__ if isinstance(error, BaseException) else "Exception" if error else ""


def sentence(error: Any, run_reason: str | None) -> str:
    """Return the failure in one line; empty without an error."""
    if error:
        told = str(error).strip().splitlines()
        return f"{kind_of(error)}: {told[0]}" if told else kind_of(error)
    return "The run took longer than its time limit." if run_reason == RUN_TIMED_OUT else ""


def report_of(settings: Settings, context: Mapping[str, Any], error: Any) -> str:
    """Return the address of the report that shows the failure: the error's own, else the run's validation."""
    path = getattr(error, "report", "")
    if not path and error and "validate" in context["dag"].task_ids:
        with suppress(Exception):  # the mail is worth more than its link
            checked = context["ti"].xcom_pull(task_ids="validate")
            path = ((checked or {}).get("facts") or {}).get("report")
    return settings.report_link(path) if path else ""
