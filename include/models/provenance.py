"""Provenance: everything that a training depends on besides data: code, libraries, processor and threads.

Belongs here: reading the present state, and comparing it with that of a version. Does not belong here: training
(`training.py`) and storing models (`registry.py`).
"""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distributions
from typing import Any

from include.core.settings import PROJECT
from include.data.store import digest_file, digest_of

NAMED = 5  # most differences to name; the rest are counted
# The code that features and models depend on, without pages, texts and everything after a model.
CODE = ("include/core/contract.py", "include/data", "include/validation", "include/features", "include/models")
DECLARATIONS = "feature_repo"
NOT_CODE = ("include/data/loading/", "include/validation/page.py")  # loading comes before snapshots; HTML


@cache
def code_files(*more: str) -> dict[str, str]:
    """Return the digest of every file that features and models follow from, by its path in the project.

    `more` names folders whose code counts as well, for results that lists or metrics have a part in.
    """
    places = [PROJECT / place for place in (*CODE, DECLARATIONS, *more)]
    found = [path for place in places for path in ([place] if place.is_file() else place.rglob("*"))]
    names = {str(path.relative_to(PROJECT)): path for path in found if path.suffix in (".py", ".sql", ".toml")}
    return {name: digest_file(names[name]) for name in sorted(names) if not name.startswith(NOT_CODE)}


@cache
def code_digest(*more: str) -> str:
    """Return one digest of `code_files`."""
    return digest_of(sorted(code_files(*more).items()))


@cache
def lock_digest() -> str:
    """Return the digest of requirements.txt, which pins every library's version."""
    return digest_file(PROJECT / "requirements.txt")


def find_grounds() -> dict[str, Any]:
    """Return everything that a training in this process depends on, as JSON-ready data."""
    return {
        "code": code_files(),
        "commit": find_commit(),
        "lock": lock_digest(),
        "libraries": {one.name.lower(): one.version for one in distributions()},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "threads": find_threads(),
    }


@cache
def find_commit() -> str:
    """Return the commit of the checkout, with `-dirty` after local changes; empty without a checkout."""
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def find_threads() -> dict[str, int]:
    """Return the number of threads of each numerical library in this process."""
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    return {str(pool["internal_api"]): int(pool["num_threads"]) for pool in threadpool_info()}


def tell_differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each difference between the grounds of then and now."""
    told = []
    for kind, one, many in (
        ("code", "file of the code differs", "files of the code differ"),
        ("libraries", "installed library differs", "installed libraries differ"),
    ):
        unlike = _unlike(then[kind], now[kind])
        if unlike:
            more = f" and {len(unlike) - NAMED} more" if len(unlike) > NAMED else ""
            told.append(f"{len(unlike)} {one if len(unlike) == 1 else many}: {', '.join(unlike[:NAMED])}{more}.")
    if then["lock"] != now["lock"]:
        told.append(f"requirements.txt differs: {then['lock'][:12]} then, {now['lock'][:12]} now.")
    for kind in ("python", "machine"):
        if then[kind] != now[kind]:
            told.append(f"{kind.title()} differs: {then[kind]} then, {now[kind]} now.")
    if unlike := _unlike(then["threads"], now["threads"]):
        told.append(f"Thread counts differ: {', '.join(unlike)}.")
    return told


def _unlike(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the names that differ, each with its values then and now where these are readable."""
    names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return [_told(name, then.get(name), now.get(name)) for name in names]


def _told(name: str, then: object, now: object) -> str:
    if then is None or now is None:
        return f"{name} ({'new' if then is None else 'gone'})"
    readable = len(str(then)) < 30  # digests are not readable
    return f"{name} ({then} then, {now} now)" if readable else name
