"""A process as in a plain environment: no setting, no variable, and only the packages that a version requires."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

REFUSE = """
import json, sys
class Refuse:
    tops = frozenset(json.loads({tops!r}))
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.tops:
            raise ModuleNotFoundError(f"{{name}} is not in a plain environment", name=name)
sys.meta_path.insert(0, Refuse())
"""


def command(code: str, requirements: list[str]) -> list[str]:
    """What runs `code` where only these requirements, and what they require, can be imported."""
    installed = _closure(requirements)
    tops = sorted(
        top
        for top, names in packages_distributions().items()
        if top != "pkg_resources" and not {_plain(name) for name in names} & installed
    )
    return [sys.executable, "-W", "ignore", "-c", REFUSE.format(tops=json.dumps(tops)) + code]


def environment(home: Path) -> dict[str, str]:
    """The variables of somebody who configured nothing."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


def _closure(requirements: list[str]) -> set[str]:
    """The names of all distributions that an installation of these requirements brings, extras left out."""
    found, waiting = set(), [*requirements]
    while waiting:
        one = waiting.pop()
        name = _plain(re.match(r"[A-Za-z0-9._-]+", one)[0])
        if name not in found and "extra ==" not in one:
            with suppress(PackageNotFoundError):  # what only another system needs
                waiting += distribution(name).requires or []
                found.add(name)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
