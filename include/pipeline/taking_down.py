"""Takedowns: a person removes an article from every list at once, with a reason, and lists are made without it.

A takedown and its line in the audit log are one transaction. Readers see lists that are one article shorter until the
next lists are live.
"""

from __future__ import annotations

from include.adapters.warehouse import connect
from include.core.clock import now
from include.core.numbers import write_count
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.store import digest_of
from include.lists import takedowns
from include.lists.takedowns import Takedown
from include.pipeline.run import keep_audit, recorded


@recorded
def take_down(run: Run, article_id: int, reason: str, is_lifted: bool) -> Reference:
    """Take an article down or lift its takedown, in the name of who started the run; return it in words."""
    act = lift if is_lifted else remove
    is_new, sentence = act(run.settings, run.actor, article_id, reason)
    facts = {"sentence": sentence, "changed": is_new}
    return Reference("takedown", str(article_id), "", run.as_of, digest_of(is_lifted, article_id, reason), (), facts)


def find_takedowns(settings: Settings) -> list[Takedown]:
    """Return the takedowns in force, newest first."""
    with connect(settings) as warehouse:
        return takedowns.find_takedowns(warehouse)


def remove(settings: Settings, who: str, article_id: int, reason: str) -> tuple[bool, str]:
    """Remove an article from all lists at once and keep it out; return whether that is new, and a sentence."""
    with connect(settings) as warehouse:
        readers = takedowns.count_readers(warehouse, article_id)
        if not takedowns.take_down(warehouse, article_id, reason=reason, actor=who, moment=now()):
            return False, f"Article {article_id} was taken down already, and is in no list."
        keep_audit(warehouse, who, "take down", {"article_id": article_id, "reason": reason, "lists": readers})
    if not readers:
        return True, f"Article {article_id} was in no list. Lists are made without it from now on."
    lists = write_count(readers, "list")
    return True, f"Article {article_id} is out of {lists}. Lists are made without it from now on."


def lift(settings: Settings, who: str, article_id: int, reason: str) -> tuple[bool, str]:
    """Let the next lists show an article again; return whether that is new, and a sentence."""
    with connect(settings) as warehouse:
        if not takedowns.lift(warehouse, article_id, actor=who, moment=now()):
            return False, f"Article {article_id} was not taken down."
        keep_audit(warehouse, who, "lift takedown", {"article_id": article_id, "reason": reason})
    return True, f"Lists may show article {article_id} again."
