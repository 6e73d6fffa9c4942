"""The status page: whether everything is all right, in one line, and then the facts behind it, card by card."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from statistics import fmean
from typing import Any

from include.core.clock import in_words
from include.core.html import Figure
from include.core.numbers import write_count, write_number
from include.operations.gaps import DAYS, LOOP
from include.operations.runs import tell_coming
from include.operations.status import tell_full_lists, tell_maker
from include.operations.status_page.actions import Offer
from include.operations.status_page.chart import Change, draw
from include.operations.status_page.facts import Facts, Row
from include.operations.status_page.parts import (
    Card,
    Line,
    Link,
    Page,
    Places,
    Table,
    Tone,
    is_command,
    tell_moment,
    tell_times,
)

WINDOWS_SHOWN = 5
NEW = timedelta(days=1)  # older gaps stand on their card alone
LATE = timedelta(minutes=10)  # after which a run that is due will not start by itself


def build_status_page(facts: Facts, places: Places, *, may_see_readers: bool, may: Collection[str] = ()) -> Page:
    """Return the page; `may_see_readers` says whether the person may open readers' lists, `may` names the actions that
    they may do.
    """
    status = facts.status
    if status.get("trouble"):
        return Page("Daybreak", f"No. {status['trouble']}", "bad")
    offer = Offer(places, may)
    worries = sorted(_find_worries(facts, places, offer), key=lambda worry: worry.tone != "bad")
    cards = _cards(facts, places, offer, may_see_readers)
    if not status["lists"]:
        tone: Tone = "bad" if any(worry.tone == "bad" for worry in worries) else "ask"
        return Page("Daybreak", "Not yet: no lists have been published.", tone, more=worries, cards=cards)
    if worries:
        first, *others = worries
        lead = f"No: {first.words}" if first.tone == "bad" else f"Yes, but {_uncapital(first.words)}"
        return Page("Daybreak", lead, first.tone, first.link, others, cards)
    return Page("Daybreak", f"Yes. {_tell_lists(facts)}", "good", cards=cards)


def _uncapital(words: str) -> str:
    return words if words[:1] == "v" else words[:1].lower() + words[1:]


def _find_worries(facts: Facts, places: Places, offer: Offer) -> Iterator[Line]:
    """Yield what is wrong or waits for a person. Grave is what readers notice: a page, or stale lists."""
    status, moment = facts.status, facts.moment
    lists = status["lists"]
    if lists and lists["is_stale"]:
        age = in_words(moment - lists["generated_at"])
        link = places.dag("recommend", "Runs of recommend")
        yield Line("Lists", f"Readers' lists are stale: they are {age} old.", "bad", link)
    for incident in status["incidents"]:
        if not incident["is_quiet"]:
            words = f"{incident['title']} Open for {in_words(moment - incident['opened_at'])}."
            yield Line("Incident", words, "bad" if incident["severity"] == "page" else "ask", _way_on(incident))
    known = {dag_id for incident in status["incidents"] for dag_id in incident["stopped"]}
    for run in status["failing"]:
        if run["name"] in known:
            continue
        link = places.card(run["run_id"], f"Run of {run['name']}")
        yield Line("Run", f"{run['name']} failed at {tell_moment(run['started_at'])}. {run['outcome']}", "ask", link)
    for name in status["questions"][:1]:
        link = next(iter(offer.of("answer")), places.questions("The question in Airflow"))
        yield Line("Question", f"Verdict {name} needs an answer.", "ask", link)
    for row in status["next"]:
        if row["is_paused"] and row["name"] in LOOP:
            yield Line("Paused", f"{row['name']} is paused.", "ask", places.dag(row["name"], "Unpause it"))
        elif row["next_at"] and moment - row["next_at"] > LATE and row["name"] in LOOP:
            words = (
                f"{row['name']} has been due since {tell_moment(row['next_at'])}, and the scheduler does not start it."
            )
            yield Line("Due", words, "ask", places.dag(row["name"], f"Runs of {row['name']}"))
    for gap in status["gaps"]:
        if gap["kind"] == "missing" and moment - gap["last"] < NEW:
            yield Line("Gap", gap["sentence"], "ask", places.dag(gap["dag_id"], f"Backfill {gap['dag_id']}"))
    if lists and lists["readers_with_ten"] is not None and lists["readers_with_ten"] < lists["readers"]:
        few = lists["readers"] - lists["readers_with_ten"]
        words = f"{few:,} of {lists['readers']:,} readers have fewer than {lists['list_length']} articles."
        yield Line("Lists", words, "ask")


def _tell_lists(facts: Facts) -> str:
    lists = facts.status["lists"]
    age = in_words(facts.moment - lists["generated_at"])
    moment = tell_moment(lists["generated_at"])
    return f"{lists['readers']:,} readers have lists by {tell_maker(lists)} of {moment}, {age} old."


def _cards(facts: Facts, places: Places, offer: Offer, may_see_readers: bool) -> tuple[Card, ...]:
    return (
        _lists(facts, places, offer, may_see_readers),
        _champion(facts, places, offer),
        _night(facts, places, offer),
        _waiting(facts, places, offer),
        _incidents(facts, offer),
        _gaps(facts, places),
        _quality(facts),
        _drift(facts, places),
        _runs(facts, places),
        _quarantine(facts, places, offer),
        _state(facts),
    )


def _lists(facts: Facts, places: Places, offer: Offer, may_see_readers: bool) -> Card:
    lists = facts.status["lists"]
    if not lists:
        lead = "None have been published yet."
        return Card("Readers' lists", lead, "ask", links=offer.of("recommend"))
    age = in_words(facts.moment - lists["generated_at"])
    lines = [
        Line("Made by", tell_maker(lists)),
        Line("As of", f"{tell_moment(lists['generated_at'])}, {age} ago{' (stale)' if lists['is_stale'] else ''}"),
    ]
    if facts.filled_share is not None:
        lines.append(
            Line(
                "Fallbacks", f"{write_number(facts.filled_share, 'share')} of the places, which the model did not rank"
            )
        )
    if facts.status.get("late_rows"):
        lines.append(Line("Late rows", facts.status["late_rows"]))
    if facts.status["takedowns"]:
        lines.append(Line("Taken down", " ".join(facts.status["takedowns"]), "ask"))
    links = [places.page("readers", "Look up a reader")] if may_see_readers else []
    links += [places.page("articles", "Look up an article"), *offer.of("recommend", "takedown")]
    links += offer.of("lift-takedown") if facts.status["takedowns"] else []
    return Card("Readers' lists", f"{tell_full_lists(lists)}.", "bad" if lists["is_stale"] else "", lines, links=links)


def _champion(facts: Facts, places: Places, offer: Offer) -> Card:
    champion, status = facts.status["champion"], facts.status
    links = [places.page("champions", "All champions and versions")]
    holds = " ".join(status["holds"])
    held = Line("Held", holds or "Neither frozen nor pinned.", "ask" if holds else "")
    if not champion:
        lead = "None yet: no model has been promoted."
        return Card("Champion", lead, lines=[*_verdict(facts), _candidate(facts), held], links=links)
    age = in_words(facts.moment - champion["promoted_at"])
    reign = facts.reigns[0] if facts.reigns else {}
    seconds = reign.get("seconds_per_article")
    lines = [
        Line("Why", _tell_why(facts)),
        Line("Among readers", f"{seconds:.1f} s of reading per article shown" if seconds else "not measured yet"),
        *_verdict(facts),
        _candidate(facts),
        held,
    ]
    if "judge" in status["reports"]:
        links.append(places.report(status["reports"]["judge"], "The newest verdict"))
    links += offer.of(*_choices_of_champion(facts))
    return Card(
        "Champion",
        f"v{champion['version']}, since {tell_moment(champion['promoted_at'])} ({age}).",
        "",
        lines,
        links=links,
    )


def _tell_why(facts: Facts) -> str:
    """Return why the champion reigns; if the card of the last retraining says it, only that."""
    champion, night = facts.status["champion"], facts.night
    if night is None or night["run_id"] != champion["run_id"]:
        return str(champion["why"])
    return f"Promoted by {_uncapital(_name_night(night))}."


def _choices_of_champion(facts: Facts) -> Iterator[str]:
    """Yield the actions that would change something."""
    held = facts.status["held"]
    if facts.fallbacks:
        yield "rollback"
    yield "unfreeze" if "freeze" in held else "freeze"
    yield "unpin" if "pin" in held else "pin"


def _verdict(facts: Facts) -> list[Line]:
    """Return the verdict of record unless it is why the champion reigns, and verdicts that changed nothing since."""
    verdict, champion = facts.status["verdict"], facts.status["champion"]
    found = [Line("Newest verdict", verdict["sentence"])] if verdict else []
    if champion and verdict and verdict["sentence"] == champion["why"]:
        found = []
    return found + [Line("Not counted", other["sentence"]) for other in facts.status["other_verdicts"]]


def _candidate(facts: Facts) -> Line:
    candidate = facts.candidate
    if candidate is None:
        return Line("Next candidate", "none trained since")
    trained = f"v{candidate['version']}, trained {tell_moment(candidate['registered_at'])}"
    return Line("Next candidate", f"{trained}: {candidate['state']}")


def _night(facts: Facts, places: Places, offer: Offer) -> Card:
    run = facts.night
    if run is None:
        return Card("The last retraining", "None has run yet.", links=offer.of("retrain"))
    lead = run["outcome"]
    lines = [
        Line("Started", f"{tell_times(run)}, {run['how']}"),
        Line("Worked as of", tell_moment(run["as_of"])),
    ]
    tone: Tone = "bad" if run["state"] == "failed" else ""
    links = [*_to_run(run, places), *offer.of("retrain")]
    return Card(_name_night(run), lead, tone, lines, links=links)


def _name_night(run: Mapping[str, Any]) -> str:
    return "Last night's retraining" if run["run_id"].startswith("retrain/scheduled__") else "The last retraining"


def _to_run(run: Mapping[str, Any], places: Places) -> list[Link]:
    links = [places.card(run["run_id"], "Its card")]
    return links if is_command(run["run_id"]) else [*links, places.run(run["run_id"], "The run in Airflow")]


def _waiting(facts: Facts, places: Places, offer: Offer) -> Card:
    questions = facts.status["questions"]
    if not questions:
        return Card("Waits for a person", "Nothing.")
    lines = [Line("Verdict", name) for name in questions]
    lead = f"{write_count(len(questions), 'question')}."
    links = offer.of("answer") or [places.questions("The question in Airflow")]
    return Card("Waits for a person", lead, "ask", lines, links=links)


def _runs(facts: Facts, places: Places) -> Card:
    status = facts.status
    lines = [
        Line(
            run["name"],
            f"Failed, {tell_moment(run['started_at'])}: {run['outcome']}",
            "ask",
            places.card(run["run_id"], f"Card of {run['name']}"),
        )
        for run in status["failing"]
    ]
    lines += [
        Line(
            run["name"],
            f"Runs now, {run['how']}: {run['outcome']}",
            "",
            places.card(run["run_id"], f"Card of {run['name']}"),
        )
        for run in status["running"]
    ]
    coming = [row for row in status["next"] if row["next_at"]]
    first = next((row for row in coming if row["name"] in LOOP), None)
    lines += [
        Line(
            row["name"],
            tell_coming(row["next_at"] - facts.moment),
            "",
            places.dag(row["name"], f"{row['name']} in Airflow"),
        )
        for row in coming
    ]
    paused = [row["name"] for row in status["next"] if row["is_paused"]]
    if paused:
        lines.append(Line("Paused", ", ".join(paused)))
    lead = f"{first['name']} comes next, {tell_coming(first['next_at'] - facts.moment)}." if first else "None is due."
    return Card("Runs", lead, "ask" if status["failing"] else "", lines)


def _gaps(facts: Facts, places: Places) -> Card:
    gaps = facts.status["gaps"]
    if not gaps:
        return Card("Gaps", f"Every scheduled run of the last {DAYS} days succeeded or goes on.")
    lines = [Line(gap["dag_id"], gap["sentence"], "ask") for gap in gaps]
    count = sum(gap["count"] for gap in gaps)
    missing = f"{write_count(count, 'run')} {'is' if count == 1 else 'are'} missing"
    lead = f"{missing}. `bin/daybreak gaps` says how to close the gaps."
    links = [places.dag(name, f"Backfill {name}") for name in dict.fromkeys(gap["dag_id"] for gap in gaps)]
    return Card("Gaps", lead, "ask", lines, links=links)


def _quality(facts: Facts) -> Card:
    title = "Reading per article shown, last 4 weeks"
    if not facts.realised:
        lead = "Not measured yet: the DAG monitor measures it once readers have used the lists."
        return Card(title, lead, is_wide=True)
    points = [(row["window_end"], float(row["seconds_per_article"])) for row in facts.realised]
    changes = [Change(reign["since"], reign["version"], reign["action"] == "rollback") for reign in facts.reigns]
    last = points[-1]
    lead = f"{last[1]:.1f} s in the window that ended {tell_moment(last[0])}."
    told = f"Seconds of reading per article shown, from {tell_moment(points[0][0])} to {tell_moment(facts.moment)}."
    chart = draw(told, "seconds of reading per article shown", points, changes, facts.moment)
    return Card(title, lead, chart=chart, tables=[_by_day(facts.realised)], is_wide=True)


def _by_day(realised: Sequence[Row]) -> Table:
    days: dict[date, list[Row]] = defaultdict(list)
    for row in realised:
        days[row["window_end"].date()].append(row)
    rows = [
        (
            f"{day}",
            Figure(f"{fmean(row['seconds_per_article'] for row in found):.1f} s"),
            Figure(f"{found[-1]['impressions']:,}"),
        )
        for day, found in sorted(days.items(), reverse=True)
    ]
    return Table("The same by day", ("Day", "Per article shown", "Articles shown"), rows, shown=0)


def _incidents(facts: Facts, offer: Offer) -> Card:
    incidents = facts.status["incidents"]
    if not incidents:
        return Card("Open incidents", "None.")
    tones: dict[str, Tone] = {"page": "bad", "ticket": "ask"}
    lines = [
        Line(
            incident["severity"],
            incident["sentence"],
            "" if incident["is_quiet"] else tones[incident["severity"]],
            _way_on(incident),
            offer.of("acknowledge", "mute", incident=str(incident["incident_id"])),
        )
        for incident in incidents
    ]
    lead = "1 is open." if len(lines) == 1 else f"{len(lines):,} are open."
    return Card("Open incidents", lead, lines[0].tone, lines)


def _way_on(incident: Mapping[str, Any]) -> Link | None:
    """Return the link to what to do about an incident, else to the run that failed."""
    links = incident["links"]
    name = next((name for name in ("Runbook", "Run") if name in links), None)
    return Link(name, links[name], "new") if name else None


def _drift(facts: Facts, places: Places) -> Card:
    links = [
        places.report(facts.status["reports"]["watch"], "The newest drift report")
        for _ in range("watch" in facts.status["reports"])
    ]
    if not facts.drift:
        return Card("Drift", "No window has been compared yet.", links=links)
    drifted = [row for row in facts.drift if row["is_drifted"]]
    newest = facts.drift[0]
    count = len(facts.drift)
    lead = f"{len(drifted) or 'None'} of the last {count} windows drifted from what the champion learnt."
    if count == 1:
        lead = f"The only window so far {'drifted' if drifted else 'did not drift'} from what the champion learnt."
    rows = [
        (
            tell_moment(row["window_end"]),
            f"v{row['model_version']}",
            "drifted" if row["is_drifted"] else "steady",
            ", ".join(row["moved"]) or "nothing",
        )
        for row in facts.drift
    ]
    table = Table("Windows", ("Window's end", "Champion", "Window", "Moved"), rows, shown=WINDOWS_SHOWN)
    return Card("Drift", lead, "ask" if newest["is_drifted"] else "", tables=[table], links=links, is_wide=True)


def _quarantine(facts: Facts, places: Places, offer: Offer) -> Card:
    reports = facts.status["reports"]
    links = [places.report(reports["validate"], "The newest validation report")] if "validate" in reports else []
    if not facts.quarantined:
        return Card("Quarantine", "No row waits in quarantine.", links=links)
    counts: dict[tuple[str, str, str], tuple[int, str]] = {}
    for row in facts.quarantined:
        key = (row["publisher"] or "unknown", row["table_name"], row["code"])
        counts[key] = (counts.get(key, (0, ""))[0] + row["rows"], row["reason"])
    ordered = sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))
    rows = [
        (publisher, table, f"{reason} [{code}]", Figure(f"{count:,}"))
        for (publisher, table, code), (count, reason) in ordered
    ]
    rest = sum(row["rows"] for row in facts.status["quarantined"]) - sum(count for _, (count, _) in ordered)
    if rest > 0:
        rows.append(("others", "", "", Figure(f"{rest:,}")))
    whole, newest = sum(row["rows"] for row in facts.status["quarantined"]), facts.status["quarantined"][0]
    lead = f"{write_count(whole, 'row')} of snapshot {newest['snapshot_id']}."
    table = Table("Quarantined rows", ("Publisher", "Table", "Broken rule", "Rows"), rows, shown=10)
    links += offer.of("replay")
    return Card("Quarantine", lead, tables=[table], links=links, is_wide=True)


def _state(facts: Facts) -> Card:
    sizes = {name: _size(size) for name, size in facts.state.items()}
    lines = [
        Line("Warehouse", sizes["warehouse"]),
        Line("State folder", sizes["files"]),
        Line("Free on its disk", sizes["free"]),
    ]
    return Card("Size of the state", f"{sizes['files']} in the state folder, {sizes['free']} free.", lines=lines)


def _size(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
