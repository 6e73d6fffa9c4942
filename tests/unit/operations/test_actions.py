"""What the pages say before an action is confirmed, and how they read its form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.alerts.incidents import Incident
from include.core.errors import DaybreakError
from include.judging.holds import Hold
from include.lists.takedowns import Takedown
from include.operations.status_page.actions import ACTIONS, Situation, WayBack, read_form

NOW = datetime(2026, 11, 30, 16, 44, tzinfo=UTC)
HOUR = timedelta(hours=1)
LISTS = {"readers": 2999, "model_version": 4, "baseline": None, "generated_at": NOW - 2 * HOUR}
TAKEDOWN = Takedown(7, "retracted", "ada", NOW - HOUR)
FREEZE = Hold("freeze", None, NOW + HOUR, "elections", "ada", NOW)
PIN = Hold("pin", 4, None, "audit", "ada", NOW)
QUARANTINED = [
    {"snapshot_id": "20261130T160000Z-0123456789ab", "code": "EVT107", "rows": 1200},
    {"snapshot_id": "20261130T160000Z-0123456789ab", "code": "ART1", "rows": 1},
]
INCIDENT = Incident(12, "away", "MLflow", "MLflow is away.", "ticket", {}, "t", NOW, NOW)
SITUATION = Situation(
    NOW,
    "enforce",
    LISTS,
    4,
    [WayBack(3, NOW - 4 * HOUR), WayBack(2, None)],
    [],
    {"verdict_id": "v5-after-4", "version": 5, "champion_version": 4},
    QUARANTINED,
    [INCIDENT],
    [TAKEDOWN],
)
TYPED = {
    "retrain": {"mode": ""},
    "recommend": {},
    "answer": {"verdict": "v5-after-4", "choice": "promote"},
    "rollback": {"to": "3"},
    "freeze": {"hours": "24"},
    "unfreeze": {},
    "pin": {},
    "unpin": {},
    "takedown": {"article": "4711"},
    "lift-takedown": {"article": "7"},
    "replay": {"snapshot": "20261130T160000Z-0123456789ab", "code": ""},
    "acknowledge": {"incident": "12"},
    "mute": {"incident": "12", "hours": "0,5"},
}


def read(name, situation=SITUATION, **typed):
    return read_form(ACTIONS[name], {**TYPED[name], "reason": "too many from one publisher", **typed}, situation)


def foretell(name, situation=SITUATION, **typed):
    values, wrong = read(name, situation, **typed)
    assert wrong == {}
    return ACTIONS[name].foretell(values, situation)


def test_every_action_has_a_form_that_asks_for_a_reason():
    assert set(ACTIONS) == set(TYPED)
    assert all(action.fields[-1].name == "reason" for action in ACTIONS.values())


@pytest.mark.parametrize(
    ("name", "typed", "situation", "told"),
    [
        (
            "rollback",
            {},
            {},
            "The lists of 2,999 readers go back to those by v3, made 4 h ago, and v3 becomes champion in place of v4.",
        ),
        ("rollback", {"to": "2"}, {}, "None of its lists is left: it makes those of 2,999 readers again first."),
        ("recommend", {}, {}, "The lists of 2,999 readers are made again by v4 with the newest articles"),
        ("recommend", {}, {"lists": None, "champion": None}, "a first list, made by the best baseline."),
        ("retrain", {}, {}, "If it beats v4, the lists of 2,999 readers are made by it; otherwise nothing changes"),
        (
            "retrain",
            {},
            {"holds": [FREEZE]},
            "Nothing changes for readers: a challenger is trained and judged against v4. Pro",
        ),
        ("retrain", {"mode": "dry_run"}, {}, "Nothing changes for readers"),
        ("retrain", {"mode": "off"}, {}, "neither judged nor promoted"),
        ("answer", {}, {}, "v5 becomes champion in place of v4, and the lists of 2,999 readers are made by it within"),
        ("answer", {"choice": "keep"}, {}, "v4 goes on making the lists, and nothing"),
        ("freeze", {"hours": "1.5"}, {}, "Until 2026-11-30 18:14 UTC no version is promoted, and v4 goes on"),
        ("takedown", {}, {}, "Article 4711 is out of every list at once, and stays out. The lists of"),
        ("lift-takedown", {}, {}, "The next lists may show article 7 again. This lifts: Article 7 was taken down at"),
        ("unfreeze", {}, {"holds": [FREEZE]}, "This lifts: Promotions are frozen until"),
        ("pin", {}, {}, "v4 goes on making the lists of 2,999 readers until it is unpinned"),
        ("unpin", {}, {"holds": [PIN]}, "This lifts: v4 is pinned, by ada: audit."),
        ("replay", {}, {}, "1,201 rows of snapshot 20261130T160000Z-0123456789ab are tried again"),
        (
            "replay",
            {"code": "ART1", "dry_run": "yes"},
            {},
            "Nothing changes: 1 row of snapshot 20261130T160000Z-0123456789ab is tried, and the log",
        ),
        ("replay", {"retrain": "yes"}, {}, "nothing is promoted. Nothing changes for readers."),
        ("acknowledge", {}, {}, "On-call gets no further mail about incident 12"),
        ("mute", {}, {}, "Until 2026-11-30 17:14 UTC on-call gets no mail about the cause of incident 12"),
    ],
)
def test_it_says_in_a_sentence_what_changes_for_readers(name, typed, situation, told):
    assert told in foretell(name, replace(SITUATION, **situation), **typed)


@pytest.mark.parametrize(
    ("name", "situation", "told"),
    [
        ("rollback", {"holds": [PIN]}, "v4 is pinned, by ada: audit. Hint: unpin it first."),
        ("unfreeze", {}, "Promotions are not frozen."),
        ("takedown", {"takedowns": [replace(TAKEDOWN, article_id=4711)]}, "Article 4711 was taken down at"),
        ("unpin", {"holds": [FREEZE]}, "No version is pinned."),
        ("pin", {"champion": None}, "No model has been promoted yet."),
    ],
)
def test_what_cannot_be_done_is_told_before_it_is_confirmed(name, situation, told):
    with pytest.raises(DaybreakError) as error:
        foretell(name, replace(SITUATION, **situation))
    assert str(error.value).startswith(told)


@pytest.mark.parametrize(
    ("name", "typed", "wrong"),
    [
        ("recommend", {"reason": " a "}, {"reason": "Write 3 to 500 characters, not 1."}),
        ("takedown", {"article": "the one"}, {"article": "'the one' is not an id."}),
        ("takedown", {"article": ""}, {"article": "Give an id."}),
        ("takedown", {"article": "9" * 19}, {"article": f"'{'9' * 19}' is not an id."}),
        ("lift-takedown", {"article": "4711"}, {"article": "Choose from the list."}),
        ("freeze", {"hours": "many"}, {"hours": "'many' is not a number."}),
        ("freeze", {"hours": ""}, {"hours": "Give a number."}),
        ("freeze", {"hours": "nan"}, {"hours": "Give more than 0 and at most 8,784."}),
        ("freeze", {"hours": "0", "reason": ""}, {"hours": "Give more than 0 and at most 8,784.", "reason": "Write"}),
        ("mute", {"incident": "13"}, {"incident": "Choose from the list."}),
        ("rollback", {"to": "4"}, {"to": "Choose from the list."}),
    ],
)
def test_what_is_wrong_is_told_field_by_field(name, typed, wrong):
    _, found = read(name, **typed)
    assert set(found) == set(wrong)
    assert all(found[field].startswith(told) for field, told in wrong.items())


def test_without_a_question_there_is_nothing_to_answer():
    _, wrong = read("answer", replace(SITUATION, question=None))
    assert wrong == dict.fromkeys(("verdict", "choice"), "There is nothing to choose from.")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("rollback", {"to": 3, "why": "it is"}),
        ("freeze", {"action": "freeze", "hours": 24.0, "why": "it is"}),
        ("takedown", {"article_id": 4711, "lift": False, "why": "it is"}),
        ("lift-takedown", {"article_id": 7, "lift": True, "why": "it is"}),
        ("unpin", {"action": "unpin", "why": "it is"}),
        ("retrain", {"mode": None, "reason": "it is"}),
        (
            "replay",
            {
                "snapshot": "20261130T160000Z-0123456789ab",
                "code": None,
                "dry_run": False,
                "retrain": False,
                "reason": "it is",
            },
        ),
    ],
)
def test_the_run_gets_the_form_of_its_dag(name, form):
    values, _ = read(name, reason="it is")
    assert ACTIONS[name].to_form(values) == form
