"""The old path of the trigger in `tasks/waiting.py`, which Airflow stored for runs that wait across an upgrade.

Remove it once no installation upgrades from a version without `plugins/daybreak_airflow/tasks/`.
"""

from __future__ import annotations

from daybreak_airflow.tasks.waiting import WindowComplete

__all__ = ["WindowComplete"]
