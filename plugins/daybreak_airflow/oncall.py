"""Tells on-call of a failure: one mail per run, after the last retry.

One notifier stands at task and at DAG level. The task's knows the error; the run's comes later and counts only when
the task could not speak (killed by the system, out of memory, machine gone). Both name the same incident, and the first
wins.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseHook, BaseNotifier
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from include.alerts import Send
    from include.failures import Failure
    from include.settings import Settings

CONNECTION = "smtp_default"
RUN_TIMED_OUT = "timed_out"  # what Airflow gives as the reason
TOO_SLOW = "AirflowTaskTimeout"

log = logging.getLogger(__name__)


class Oncall(BaseNotifier):
    """Hands a failed run to the outbox and tries to mail it at once."""

    def render_template_fields(self, context: Mapping[str, Any], jinja_env: Any = None) -> None:
        """Renders nothing: there is nothing to render, and Airflow's way of it fails on some of its own contexts."""

    def notify(self, context: Mapping[str, Any]) -> None:
        """Reports the run's failure, unless it is known already."""
        from include.alerts import report
        from include.settings import load_settings

        settings = load_settings()
        report(settings, failure_of(settings, context), mailer(settings))


def mailer(settings: Settings) -> Send:
    """What mails an alert: through Airflow's connection, else through the server that the settings name."""
    from include.adapters import smtp

    server = smtp.MailServer.of(settings)
    try:
        connection = BaseHook.get_connection(CONNECTION)
    except AirflowNotFoundException:
        log.info("There is no connection %s: mail goes to %s:%s.", CONNECTION, server.host, server.port)
    else:
        extra = connection.extra_dejson
        is_ssl, is_starttls = not is_on(extra, "disable_ssl"), not is_on(extra, "disable_tls")
        server = smtp.MailServer(
            host=connection.host or server.host,
            port=connection.port or (465 if is_ssl else 587 if is_starttls else 25),
            sender=extra.get("from_email") or server.sender,
            login=connection.login or "",
            password=connection.password or "",
            is_ssl=is_ssl,
            is_starttls=is_starttls,
        )
    return lambda alert: smtp.send(server, settings.mail_to, alert.subject, alert.body, incident=alert.incident)


def is_on(extra: Mapping[str, Any], name: str) -> bool:
    """A switch in a connection's extra; the form stores true, an environment variable may hold "true"."""
    return str(extra.get(name, "")).lower() in ("1", "true", "yes")


def failure_of(settings: Settings, context: Mapping[str, Any]) -> Failure:
    """What the context knows of the failure; at DAG level, and after a kill, much of it is missing."""
    from daybreak_airflow.as_of import run_type
    from include.failures import Failure

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
    """The run's as_of; None when it is what the run failed at, or nobody knows."""
    from daybreak_airflow.as_of import as_of
    from include.errors import DaybreakError

    try:
        return as_of(context)
    except (DaybreakError, KeyError):
        return None


def kind_of(error: Any) -> str:
    """The error's class, which has its own section in the runbook or none; empty for a task that could not speak."""
    return type(error).__name__ if isinstance(error, BaseException) else "Exception" if error else ""


def sentence(error: Any, run_reason: str | None) -> str:
    """The failure in one line; empty when nobody saw it."""
    if error:
        told = str(error).strip().splitlines()
        return f"{kind_of(error)}: {told[0]}" if told else kind_of(error)
    return "The run took longer than its time limit." if run_reason == RUN_TIMED_OUT else ""


def report_of(settings: Settings, context: Mapping[str, Any], error: Any) -> str:
    """Address of the report that shows the failure: the error's own, else the run's validation."""
    from daybreak_airflow.links import report_url

    path = getattr(error, "report", "")
    if not path and error and "validate" in context["dag"].task_ids:
        checked = context["ti"].xcom_pull(task_ids="validate")
        path = ((checked or {}).get("facts") or {}).get("report")
    return report_url(settings, path) if path else ""
