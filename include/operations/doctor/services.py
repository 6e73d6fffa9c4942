"""Probes of the machine and of the services other than PostgreSQL."""

from __future__ import annotations

import json
import shutil
from datetime import datetime

from include.adapters import smtp
from include.adapters.receivers import place_of
from include.alerts import channels
from include.core.numbers import write_count
from include.core.settings import Settings
from include.operations.doctor import State
from include.operations.launcher import pools, probes

COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
START = "start it with `make up`; `bin/daybreak logs NAME` shows why it stopped."

Answer = tuple[State, str, str]


def disk(settings: Settings, moment: datetime) -> Answer:
    """Check that the state folder has space."""
    folder = next(one for one in (settings.home, *settings.home.parents) if one.exists())
    free_mb = shutil.disk_usage(folder).free // 2**20
    if free_mb < settings.min_free_mb:
        return "FIX", f"{free_mb:,} MB free at {settings.home}, {settings.min_free_mb:,} MB needed", "free some space."
    return "fine", f"{free_mb:,} MB free at {settings.home}", ""


def mail(settings: Settings, moment: datetime) -> Answer:
    """Check that the mail server answers and accepts the sign-in."""
    smtp.greet(smtp.MailServer.of(settings))
    return "fine", f"{settings.smtp_host}:{settings.smtp_port} accepts mail for {settings.mail_to}", ""


def webhook(settings: Settings, moment: datetime) -> Answer:
    """Check that the webhook's receiver answers, and that what it gets is signed."""
    found = channels.find_webhook(settings)
    if found is None:
        return "fine", "not set", ""
    told = f"{place_of(found.url)} answers {found.look()}"
    if not found.secret:
        return "note", f"{told}; alerts are not signed", "set DAYBREAK_WEBHOOK_SECRET."
    return "fine", told, ""


def alertmanager(settings: Settings, moment: datetime) -> Answer:
    """Check that the Alertmanager answers and accepts the sign-in."""
    found = channels.find_alertmanager(settings)
    if found is None:
        return "fine", "not set", ""
    return "fine", f"{place_of(found.url)}, version {found.look()}", ""


def mlflow(settings: Settings, moment: datetime) -> Answer:
    """Check that the model registry answers."""
    if probes.mlflow(settings, moment):
        return "fine", settings.mlflow_url, ""
    return "FIX", f"{settings.mlflow_url} does not answer", START


def airflow(settings: Settings, moment: datetime) -> Answer:
    """Check that the API answers and every component has a recent heartbeat."""
    body = probes.get(f"http://{settings.airflow_host}:{settings.airflow_port}/api/v2/monitor/health")
    if body is None:
        return "FIX", f"{settings.airflow_url} does not answer", START
    health = json.loads(body)
    sick = [name for name in COMPONENTS if (health.get(name) or {}).get("status") != "healthy"]
    if sick:
        return "FIX", f"not healthy: {', '.join(sick)}", START
    return "fine", f"{settings.airflow_url}; {', '.join(COMPONENTS)} healthy", ""


def pool(settings: Settings, moment: datetime) -> Answer:
    """Check that the pool of heavy tasks has room for a training, and for the lists beside it."""
    slots = pools.find_slots(settings)
    if slots is None:
        return "FIX", f"Airflow has no pool {pools.HEAVY}, so heavy tasks wait", "run `make up`, which creates it."
    fix = f"give it {pools.SLOTS} in Airflow under Admin, Pools."
    if -1 < slots < pools.TRAINING_SLOTS:
        return (
            "FIX",
            f"{write_count(slots, 'slot')} in {pools.HEAVY}; a training takes {pools.TRAINING_SLOTS} and never starts",
            fix,
        )
    if slots == pools.TRAINING_SLOTS:
        return "note", f"{slots} slots in {pools.HEAVY}: lists wait while a model is trained", fix
    return "fine", f"{'no limit' if slots == -1 else f'{slots} slots'} in {pools.HEAVY}", ""


def feast(settings: Settings, moment: datetime) -> Answer:
    """Check that the feature registry exists."""
    if settings.feast_registry.exists():
        return "fine", "the declarations are registered", ""
    return "FIX", "no declarations are registered", "run `bin/daybreak features apply`."
