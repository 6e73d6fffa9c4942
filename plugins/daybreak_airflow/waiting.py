"""The trigger of runs that began to wait before it moved to `tasks/waiting.py`: Airflow stores it by this path.

May go once no installation upgrades from a version without `plugins/daybreak_airflow/tasks/`.
"""

from __future__ import annotations

from daybreak_airflow.tasks.waiting import WindowComplete

__all__ = ["WindowComplete"]
