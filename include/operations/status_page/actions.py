"""The actions of the pages: the form of each, what it will change for readers, and the form of the run that does it.

Belongs here: the words and the rules. Does not belong here: who may act, and how a run is started; Airflow decides that
(`plugins/daybreak_airflow/ui/actions.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from include.adapters.warehouse import Connection, connect, query
from include.alerts.incidents import Incident, open_incidents
from include.core.clock import in_words
from include.core.errors import DaybreakError
from include.core.numbers import capital, write_count
from include.core.settings import Settings
from include.judging.champion import find_champion, find_fallbacks
from include.judging.holds import Hold, find_holds, forbid
from include.lists.takedowns import Takedown, find_takedowns
from include.operations.silencing import LONGEST_MUTE_DAYS
from include.operations.status import LARGEST_ID, NUMBER, tell_maker
from include.operations.status_page.facts import Row, ask
from include.operations.status_page.parts import Link, Places, tell_moment
from include.pipeline.deciding import find_question
from include.pipeline.holding import LONGEST_FREEZE_HOURS

Values = Mapping[str, Any]
MOST_WAYS_BACK = 20
SHORTEST_REASON, LONGEST_REASON = 3, 500


@dataclass(frozen=True)
class WayBack:
    """A former champion to go back to, and the moment of its newest lists; None if no lists of it are left."""

    version: int
    made_at: datetime | None


@dataclass(frozen=True)
class Situation:
    """What the sentences about an action depend on."""

    moment: datetime
    gate_mode: str
    lists: Row | None
    champion: int | None
    ways_back: Sequence[WayBack]
    holds: Sequence[Hold]
    question: Row | None
    quarantined: Sequence[Row]
    incidents: Sequence[Incident]
    takedowns: Sequence[Takedown]


def find_situation(settings: Settings, moment: datetime) -> Situation:
    """Return what there is to act on."""
    question = find_question(settings, None)
    with connect(settings) as warehouse:
        champion = find_champion(warehouse)
        lists = ask(warehouse, "lists", {})
        asked = ask(warehouse, "question", {"verdict_id": question["verdict_id"]}) if question else []
        return Situation(
            moment,
            settings.gate_mode,
            lists[0] if lists else None,
            champion.version if champion else None,
            _find_ways_back(warehouse) if champion else (),
            find_holds(warehouse, moment),
            asked[0] if asked else None,
            ask(warehouse, "quarantined", {}),
            open_incidents(warehouse),
            find_takedowns(warehouse),
        )


def _find_ways_back(warehouse: Connection) -> list[WayBack]:
    found = []
    for version in find_fallbacks(warehouse)[:MOST_WAYS_BACK]:
        newest = warehouse.execute(query("lists/newest_of_version"), [version]).fetchone()
        found.append(WayBack(version, newest[1] if newest else None))
    return found


@dataclass(frozen=True)
class Field:
    """A field of a form. A choice offers `choices`; a number lies above `least` and is at most `most`."""

    name: str
    label: str
    kind: Literal["text", "number", "id", "choice", "tick"]
    choices: Callable[[Situation], Sequence[tuple[str, str]]] = lambda situation: ()
    first: str = ""
    least: float = 0
    most: float = 0
    shortest: int = 0
    longest: int = 0

    def read(self, typed: str, situation: Situation) -> Any:
        """Return the value that was typed; raise `ValueError` with what is wrong."""
        match self.kind:
            case "tick":
                return bool(typed)
            case "number":
                return self._read_number(typed)
            case "id":
                if not (re.fullmatch(NUMBER, typed) and abs(int(typed)) <= LARGEST_ID):
                    raise ValueError(f"{typed!r} is not an id." if typed else "Give an id.")
                return typed
            case "choice":
                choices = dict(self.choices(situation))
                if typed not in choices:
                    raise ValueError("Choose from the list." if choices else "There is nothing to choose from.")
                return typed
            case _:
                if not self.shortest <= len(typed) <= self.longest:
                    raise ValueError(f"Write {self.shortest} to {self.longest} characters, not {len(typed)}.")
                return typed

    def _read_number(self, typed: str) -> float:
        try:
            number = float(typed.replace(",", "."))
        except ValueError:
            raise ValueError(f"{typed!r} is not a number." if typed else "Give a number.") from None
        if not self.least < number <= self.most:
            raise ValueError(f"Give more than {self.least:g} and at most {self.most:,g}.")
        return number


@dataclass(frozen=True)
class Action:
    """An action: its form, the sentence on what it changes, and the form of the run of `dag_id` that does it.

    Whoever may start runs of `dag_id` may do it. Without `to_form` it starts no run: it answers the question of
    `approve`, or looks after an incident, of which `monitor` mails.
    """

    name: str
    title: str
    button: str
    dag_id: str
    fields: tuple[Field, ...]
    foretell: Callable[[Values, Situation], str]
    to_form: Callable[[Values], dict[str, Any]] | None = None

    @property
    def is_about_incidents(self) -> bool:
        """Return whether it looks after an incident, which no run does."""
        return INCIDENT in self.fields


def read_form(action: Action, typed: Mapping[str, str], situation: Situation) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of the fields, and by field what is wrong with it."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in action.fields:
        try:
            values[field.name] = field.read(typed.get(field.name, "").strip(), situation)
        except ValueError as error:
            wrong[field.name] = str(error)
    return values, wrong


def _readers(situation: Situation) -> str:
    """Return whose lists these are."""
    if situation.lists is None:
        return "readers"
    return write_count(situation.lists["readers"], "reader")


def _maker(situation: Situation) -> str:
    return f"v{situation.champion}" if situation.champion else "the best baseline"


def _foretell_retrain(values: Values, situation: Situation) -> str:
    mode = values["mode"] or situation.gate_mode
    if mode == "off":
        return "Nothing changes for readers: a version is trained, and neither judged nor promoted."
    if mode == "dry_run":
        return "Nothing changes for readers: a challenger is trained and judged, and its lists are kept unseen."
    rival = f"v{situation.champion}" if situation.champion else "the baselines"
    if situation.holds:
        held = " ".join(hold.tell() for hold in situation.holds)
        return f"Nothing changes for readers: a challenger is trained and judged against {rival}. {held}"
    return (
        f"A challenger is trained and judged. If it beats {rival}, the lists of {_readers(situation)} are made by it; "
        "otherwise nothing changes for readers, and in doubt a person is asked."
    )


def _foretell_recommend(values: Values, situation: Situation) -> str:
    if situation.lists is None:
        return f"Every active reader gets a first list, made by {_maker(situation)}."
    lists = situation.lists
    return (
        f"The lists of {_readers(situation)} are made again by {_maker(situation)} with the newest articles, in place "
        f"of those by {tell_maker(lists)} that are {in_words(situation.moment - lists['generated_at'])} old."
    )


def _foretell_rollback(values: Values, situation: Situation) -> str:
    version = int(values["to"])
    (way,) = (one for one in situation.ways_back if one.version == version)
    pins = [hold for hold in situation.holds if hold.kind == "pin"]
    if forbidden := forbid(pins, version):
        raise DaybreakError(forbidden, hint="unpin it first.")
    if way.made_at is None:
        return (
            f"v{version} becomes champion in place of v{situation.champion}. None of its lists is left: it makes those "
            f"of {_readers(situation)} again first."
        )
    return (
        f"The lists of {_readers(situation)} go back to those by v{version}, made "
        f"{in_words(situation.moment - way.made_at)} ago, and v{version} becomes champion in place of "
        f"v{situation.champion}. Fresh lists by v{version} follow."
    )


def _ways_back(situation: Situation) -> Sequence[tuple[str, str]]:
    return [
        (
            str(one.version),
            f"v{one.version}, with lists of {tell_moment(one.made_at)}" if one.made_at else f"v{one.version}",
        )
        for one in situation.ways_back
    ]


def _freeze_end(values: Values, situation: Situation) -> datetime:
    return situation.moment + timedelta(hours=values["hours"])


def _foretell_freeze(values: Values, situation: Situation) -> str:
    until = tell_moment(_freeze_end(values, situation))
    return (
        f"Until {until} no version is promoted, and {_maker(situation)} goes on making the lists of "
        f"{_readers(situation)}. Training and judging go on."
    )


def _foretell_unfreeze(values: Values, situation: Situation) -> str:
    held = _held(situation, "freeze", "Promotions are not frozen.")
    return f"The next verdict may promote a version again; nothing changes for readers now. This lifts: {held}"


def _foretell_pin(values: Values, situation: Situation) -> str:
    if situation.champion is None:
        raise DaybreakError("No model has been promoted yet.", hint="there is nothing to pin.")
    return (
        f"v{situation.champion} goes on making the lists of {_readers(situation)} until it is unpinned: no other "
        "version is promoted or rolled back to."
    )


def _foretell_unpin(values: Values, situation: Situation) -> str:
    held = _held(situation, "pin", "No version is pinned.")
    return f"Other versions may become champion again; nothing changes for readers now. This lifts: {held}"


def _held(situation: Situation, kind: str, fact: str) -> str:
    for hold in situation.holds:
        if hold.kind == kind:
            return hold.tell()
    raise DaybreakError(fact, hint="there is nothing to lift.")


def _foretell_takedown(values: Values, situation: Situation) -> str:
    for takedown in _down(values, situation):
        raise DaybreakError(takedown.tell(), hint="there is nothing to take down.")
    return (
        f"Article {values['article']} is out of every list at once, and stays out. The lists of {_readers(situation)} "
        "are made anew, so that they are full again; until then those that had it are one article shorter."
    )


def _foretell_lift(values: Values, situation: Situation) -> str:
    for takedown in _down(values, situation):
        return f"The next lists may show article {values['article']} again. This lifts: {takedown.tell()}"
    raise DaybreakError(f"Article {values['article']} was not taken down.", hint="there is nothing to lift.")


def _down(values: Values, situation: Situation) -> list[Takedown]:
    return [one for one in situation.takedowns if one.article_id == int(values["article"])]


def _taken_down(situation: Situation) -> Sequence[tuple[str, str]]:
    return [(str(one.article_id), f"Article {one.article_id}: {one.reason}") for one in situation.takedowns]


def _foretell_answer(values: Values, situation: Situation) -> str:
    version = (situation.question or {})["version"]
    if values["choice"] == "keep":
        return (
            f"{capital(_maker(situation))} goes on making the lists, and nothing changes for readers. v{version} is "
            "not asked about again."
        )
    return (
        f"v{version} becomes champion in place of {_maker(situation)}, and the lists of {_readers(situation)} are made "
        "by it within minutes."
    )


def _verdicts(situation: Situation) -> Sequence[tuple[str, str]]:
    return [(row["verdict_id"], row["verdict_id"]) for row in (situation.question,) if row]


def _answers(situation: Situation) -> Sequence[tuple[str, str]]:
    if situation.question is None:
        return ()
    return (("keep", f"Keep {_maker(situation)}"), ("promote", f"Promote v{situation.question['version']}"))


def _foretell_replay(values: Values, situation: Situation) -> str:
    rows = [row for row in situation.quarantined if values["code"] in ("", row["code"])]
    count = sum(row["rows"] for row in rows)
    tried = f"{write_count(count, 'row')} of snapshot {values['snapshot']} {'is' if count == 1 else 'are'} tried"
    if values["dry_run"]:
        return f"Nothing changes: {tried}, and the log of the run says what would come back."
    after = " A challenger is trained and judged on them, and nothing is promoted." if values["retrain"] else ""
    return (
        f"{tried} again, with the publisher's current content. What passes comes back in a new version of the "
        f"snapshot.{after} Nothing changes for readers."
    )


def _snapshots(situation: Situation) -> Sequence[tuple[str, str]]:
    return [(row["snapshot_id"], row["snapshot_id"]) for row in situation.quarantined[:1]]


def _codes(situation: Situation) -> Sequence[tuple[str, str]]:
    by_code = [(row["code"], f"{row['code']}, {write_count(row['rows'], 'row')}") for row in situation.quarantined]
    return [("", "all of them"), *by_code]


def _incidents(situation: Situation) -> Sequence[tuple[str, str]]:
    return [(str(one.incident_id), f"#{one.incident_id} {one.title}") for one in situation.incidents]


def _incident(values: Values, situation: Situation) -> Incident:
    return next(one for one in situation.incidents if str(one.incident_id) == values["incident"])


def _foretell_acknowledge(values: Values, situation: Situation) -> str:
    incident = _incident(values, situation)
    return (
        f"On-call gets no further mail about incident {incident.incident_id}, not even when it becomes a page or ends. "
        "Nothing changes for readers."
    )


def _foretell_mute(values: Values, situation: Situation) -> str:
    incident = _incident(values, situation)
    return (
        f"Until {tell_moment(mute_end(values, situation.moment))} on-call gets no mail about the cause of incident "
        f"{incident.incident_id}, not even if it ends and comes back. Nothing changes for readers."
    )


def mute_end(values: Values, moment: datetime) -> datetime:
    """Return the end of a mute that begins at a moment."""
    return moment + timedelta(hours=values["hours"])


REASON = Field("reason", "Reason, for the record", "text", shortest=SHORTEST_REASON, longest=LONGEST_REASON)
INCIDENT = Field("incident", "Incident", "choice", _incidents)
MODES = (
    ("", "as the setting says"),
    ("enforce", "promote it if it is better"),
    ("dry_run", "judge it, promote nothing"),
    ("off", "only train"),
)


def _hold(action: str) -> Callable[[Values], dict[str, Any]]:
    return lambda values: {
        "action": action,
        **({"hours": values["hours"]} if "hours" in values else {}),
        "why": values["reason"],
    }


def _take(*, is_lifted: bool) -> Callable[[Values], dict[str, Any]]:
    return lambda values: {"article_id": int(values["article"]), "lift": is_lifted, "why": values["reason"]}


ACTIONS = {
    action.name: action
    for action in (
        Action(
            "retrain",
            "Retrain now",
            "Retrain",
            "retrain",
            (Field("mode", "What may follow", "choice", lambda situation: MODES), REASON),
            _foretell_retrain,
            lambda values: {"mode": values["mode"] or None, "reason": values["reason"]},
        ),
        Action(
            "recommend",
            "Make lists now",
            "Make lists",
            "recommend",
            (REASON,),
            _foretell_recommend,
            lambda values: {"reason": values["reason"]},
        ),
        Action(
            "answer",
            "Answer the question",
            "Answer",
            "approve",
            (Field("verdict", "Verdict", "choice", _verdicts), Field("choice", "Answer", "choice", _answers), REASON),
            _foretell_answer,
        ),
        Action(
            "rollback",
            "Roll back",
            "Roll back",
            "rollback",
            (Field("to", "Go back to", "choice", _ways_back), REASON),
            _foretell_rollback,
            lambda values: {"to": int(values["to"]), "why": values["reason"]},
        ),
        Action(
            "freeze",
            "Freeze promotions",
            "Freeze",
            "hold",
            (Field("hours", "Hours", "number", first="24", most=LONGEST_FREEZE_HOURS), REASON),
            _foretell_freeze,
            _hold("freeze"),
        ),
        Action("unfreeze", "Allow promotions", "Allow", "hold", (REASON,), _foretell_unfreeze, _hold("unfreeze")),
        Action("pin", "Pin the champion", "Pin", "hold", (REASON,), _foretell_pin, _hold("pin")),
        Action("unpin", "Unpin the champion", "Unpin", "hold", (REASON,), _foretell_unpin, _hold("unpin")),
        Action(
            "takedown",
            "Take an article down",
            "Take down",
            "takedown",
            (Field("article", "Article's id", "id"), REASON),
            _foretell_takedown,
            _take(is_lifted=False),
        ),
        Action(
            "lift-takedown",
            "Let lists show an article again",
            "Lift the takedown",
            "takedown",
            (Field("article", "Article", "choice", _taken_down), REASON),
            _foretell_lift,
            _take(is_lifted=True),
        ),
        Action(
            "replay",
            "Replay quarantined rows",
            "Replay",
            "replay_quarantine",
            (
                Field("snapshot", "Snapshot", "choice", _snapshots),
                Field("code", "Rows quarantined by", "choice", _codes),
                Field("dry_run", "Only list what would come back", "tick"),
                Field("retrain", "Train and judge a challenger on them afterwards", "tick"),
                REASON,
            ),
            _foretell_replay,
            lambda values: {
                "snapshot": values["snapshot"],
                "code": values["code"] or None,
                "dry_run": values["dry_run"],
                "retrain": values["retrain"],
                "reason": values["reason"],
            },
        ),
        Action(
            "acknowledge",
            "Acknowledge an incident",
            "Acknowledge",
            "monitor",
            (INCIDENT, REASON),
            _foretell_acknowledge,
        ),
        Action(
            "mute",
            "Mute an incident",
            "Mute",
            "monitor",
            (INCIDENT, Field("hours", "Hours", "number", first="8", most=LONGEST_MUTE_DAYS * 24), REASON),
            _foretell_mute,
        ),
    )
}


@dataclass(frozen=True)
class Offer:
    """The buttons of the actions that a person may do."""

    places: Places
    may: Collection[str]

    def of(self, *names: str, **values: str) -> list[Link]:
        """Return the buttons of these actions, without those that the person may not do.

        With values of its form, a button stands beside what it is about, and its name is short.
        """
        words = {name: ACTIONS[name].button if values else ACTIONS[name].title for name in names}
        return [self.places.action(name, words[name], **values) for name in names if name in self.may]
