"""Alert on-call to a failure: one mail per run, after the last retry.

The same notifier is set on tasks and on DAGs. The task's knows the error; the run's comes later and counts only when
the task could not report (killed by the system, out of memory, machine lost). Both name the same incident, and the
first report wins.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseHook, BaseNotifier
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from include.alerts.outbox import Send
    from include.alerts.wording import Failure
    from include.core.settings import Settings

CONNECTION = "smtp_default"
RUN_TIMED_OUT = "timed_out"  # Airflow's reason
TOO_SLOW = "AirflowTaskTimeout"

log = logging.getLogger(__name__)


class Oncall(BaseNotifier):
    """Hand a failed run to the outbox and try to mail it at once."""

    def render_template_fields(self, context: Mapping[str, Any], jinja_env: Any = None) -> None:
        """Do nothing: there are no templates, and Airflow's rendering fails on some of its own contexts."""

    def notify(self, context: Mapping[str, Any]) -> None:
        """Report the run's failure unless it was reported already, or the run was refused for its form."""
        from daybreak_airflow.connections import connected_settings
        from include.alerts.outbox import report

        if is_refused(context):
            log.info("No mail: the run was refused for its form, and the log of its task says why.")
            return
        settings = connected_settings()
        report(settings, failure_of(settings, context), mailer(settings))


def is_refused(context: Mapping[str, Any]) -> bool:
    """Return whether the run cannot have done anything because of its form, at task and at DAG level alike."""
    from daybreak_airflow.runs import refuse_form
    from include.core.errors import FormRefused

    if context.get("dag_run") is None:
        return False
    try:
        refuse_form(context)
    except FormRefused:
        return True
    return False


def mailer(settings: Settings) -> Send:
    """Return a function that mails an alert through Airflow's connection, else through the server in the settings."""
    from include.alerts import mail

    try:
        found = BaseHook.get_connection(CONNECTION)
    except AirflowNotFoundException:
        log.info("There is no connection %s: mail goes to %s:%s.", CONNECTION, settings.smtp_host, settings.smtp_port)
        return mail.mailer(settings)
    return mail.mailer(
        settings, mail.MailConnection(found.host, found.port, found.login, found.password, found.extra_dejson)
    )


def failure_of(settings: Settings, context: Mapping[str, Any]) -> Failure:
    """Return the failure from the context; at DAG level, and after a kill, much of it is missing."""
    from daybreak_airflow.runs import run_type
    from include.alerts.wording import Failure

    dag_run, ti = context.get("dag_run"), context.get("ti")
    dag_id = dag_run.dag_id if dag_run else context["dag"].dag_id
    run_id = dag_run.run_id if dag_run else context["run_id"]
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
    )


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
        checked = context["ti"].xcom_pull(task_ids="validate")
        path = ((checked or {}).get("facts") or {}).get("report")
    return settings.report_link(path) if path else ""
