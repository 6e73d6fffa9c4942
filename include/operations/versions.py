"""Every version with its verdict and its present state, and every reign of a champion."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from include.adapters.warehouse import connect, query
from include.core.settings import Settings
from include.operations.retention.items import disk_usage


def find_versions(settings: Settings) -> list[dict[str, Any]]:
    """Return the versions, newest first; `size_bytes` is None where no copy of the files is on this machine."""
    with connect(settings) as warehouse, warehouse.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query("operations/versions")).fetchall()
        asked = {row["challenger_version"] for row in cursor.execute(query("pipeline/open_questions"))}
    for row in rows:
        if row["state"] == "not promoted" and row["version"] in asked:
            row["state"] = "needs a decision"
        copy = settings.home / "models" / row["digest"]
        row["size_bytes"] = disk_usage(copy) if copy.exists() else None
    return rows


def find_reigns(settings: Settings) -> list[dict[str, Any]]:
    """Return the reigns of champions, newest first, with their readers' seconds per article shown, if measured."""
    with connect(settings) as warehouse, warehouse.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("operations/reigns")).fetchall()
