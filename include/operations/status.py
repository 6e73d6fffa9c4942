"""The current state of the product, as data and as a few lines of text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from include.adapters.warehouse import connect, query, source_query
from include.alerts.incidents import open_incidents
from include.core.clock import in_words, now
from include.core.errors import DaybreakError
from include.core.numbers import write_number
from include.core.run import tell_origin
from include.core.settings import Settings
from include.judging.champion import find_champion
from include.judging.holds import find_holds
from include.lists.takedowns import find_takedowns
from include.operations.gaps import DAYS, find_gaps
from include.operations.launcher import environment, files
from include.operations.runs import find_failing, find_next_runs, find_runs, tell_next
from include.pipeline.deciding import tell_verdict

LATEST_RUNS = 50  # about a day of hourly runs
NUMBER = r"-?[0-9]{1,19}"
LARGEST_ID = 2**63 - 1


def gather(settings: Settings, services: Mapping[str, str]) -> dict[str, Any]:
    """Return champion, lists, verdicts, runs, services and links; None or empty if a database does not answer."""
    moment = now()
    found: dict[str, Any] = {"champion": None, "lists": None, "verdict": None, "other_verdicts": [], "holds": []}
    found |= {"held": [], "takedowns": []}
    found |= {"questions": [], "incidents": [], "quarantined": [], "running": [], "failing": [], "next": []}
    found["gaps"] = []
    try:
        found |= _ask_warehouse(settings, moment)
        latest = find_runs(settings, moment, limit=LATEST_RUNS)
        found["running"] = [run for run in latest if run["state"] in ("running", "queued")]
        found["failing"] = find_failing(latest)
        found["next"] = find_next_runs(settings)
        found["gaps"] = [asdict(gap) for gap in find_gaps(settings, moment, DAYS)]
    except DaybreakError as error:
        found["trouble"] = str(error)
    return {**found, "moment": moment, "services": services, "links": links(settings, found.get("reports", {}))}


def _ask_warehouse(settings: Settings, moment: datetime) -> dict[str, Any]:
    with connect(settings) as warehouse:
        champion = find_champion(warehouse)
        with warehouse.cursor(row_factory=dict_row) as cursor:
            lists = cursor.execute(query("operations/lists")).fetchone()
            record = cursor.execute(query("operations/newest_verdict")).fetchone()
            since = {"since": record and record["judged_at"]}
            others = cursor.execute(query("operations/other_verdicts"), since).fetchall()
            late = cursor.execute(query("operations/late_rows")).fetchone()
            quarantined = cursor.execute(query("operations/quarantined")).fetchall()
        holds, takedowns = find_holds(warehouse, moment), find_takedowns(warehouse)
        incidents = [{**one.facts(), "sentence": one.tell(moment)} for one in open_incidents(warehouse)]
        questions = [row[0] for row in warehouse.execute(query("pipeline/open_questions"))]
        reports = {
            stage: row[0]
            for stage in ("validate", "watch")
            if (row := warehouse.execute(query("operations/newest_report"), [stage]).fetchone())
        }
    return {
        "champion": champion
        and {
            "version": champion.version,
            "promoted_at": champion.at,
            "run_id": champion.run_id,
            "snapshot_id": champion.snapshot_id,
            "why": champion.why,
        },
        "lists": lists,
        "verdict": record and _describe(record),
        "other_verdicts": [_describe(row) for row in others],
        "holds": [hold.tell() for hold in holds],
        "held": [hold.kind for hold in holds],
        "takedowns": [one.tell() for one in takedowns],
        "questions": questions,
        "incidents": incidents,
        "late_rows": late and late["sentence"],
        "quarantined": quarantined,
        "reports": reports | ({"judge": f"verdicts/{record['verdict_id']}.html"} if record else {}),
    }


def _describe(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verdict with its sentence, its report and what a person answered; without its checks."""
    sentence = tell_verdict(row)
    if row["answer"]:
        sentence += f" {'Promoted' if row['answer'] == 'promote' else 'Kept'} by {row['answered_by']}."
    about = {name: value for name, value in row.items() if name not in ("checks", "is_binding")}
    return {**about, "sentence": sentence, "report": f"verdicts/{row['verdict_id']}.html"}


def links(settings: Settings, reports: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of the user interfaces and the newest reports."""
    names = {"validate": "data docs", "judge": "verdict", "watch": "drift report"}
    return {
        "airflow": settings.airflow_url,
        "mlflow": settings.mlflow_link,
        "mails": f"http://127.0.0.1:{settings.mailbox_port}",
        **{name: settings.report_link(reports[stage]) for stage, name in names.items() if stage in reports},
    }


def sign_in(settings: Settings) -> str:
    """Return who may sign in to Airflow and where the passwords are; a status is passed around, so it holds none."""
    file = settings.home / files.ENV_FILE
    names = ", ".join(reversed(environment.users(settings)))
    return f"{names}; passwords in {file if file.exists() else '.env'}"


def one_reader(settings: Settings, reader: str | None) -> list[dict[str, Any]]:
    """Return a reader's live list with titles; any reader's if none is named. Ids of a loaded log work too."""
    reader_id = None if reader is None else find_reader(settings, reader)
    with connect(settings) as warehouse, warehouse.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query("operations/one_reader"), {"reader_id": reader_id}).fetchall()
    told = describe_articles(settings, [row["article_id"] for row in rows])
    return [{**row, **told[row["article_id"]]} for row in rows]


def describe_articles(settings: Settings, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return title, category, publisher and the publisher's name of each article by id; None where one is unknown."""
    with connect(settings, "daybreak_extract") as source, source.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(source_query(settings, "operations/titles"), {"ids": list(ids)}).fetchall()
    titles = {row["article_id"]: row for row in found}
    names = _find_names(settings, "article", ids=ids)
    untold = dict.fromkeys(("title", "category", "publisher"))
    return {one: {"article_id": one, **untold, **titles.get(one, {}), "name": names.get(one)} for one in ids}


def find_article(settings: Settings, article: str) -> int:
    """Return the id of an article named by the publisher's id or by ours."""
    return _find_id(settings, "article", article)


def find_reader(settings: Settings, reader: str) -> int:
    """Return the id of a reader named by the publisher's id or by ours."""
    return _find_id(settings, "reader", reader)


def _find_id(settings: Settings, kind: str, name: str) -> int:
    found = list(_find_names(settings, kind, names=[name])) if name.isprintable() else []
    is_id = re.fullmatch(NUMBER, name) and abs(int(name)) <= LARGEST_ID
    if not found and not is_id:
        raise DaybreakError(f"There is no {kind} {name!r}.", hint="give an id from the loaded log, or a number.")
    return found[0] if found else int(name)


def _find_names(settings: Settings, kind: str, *, ids: Sequence[int] = (), names: Sequence[str] = ()) -> dict[int, str]:
    """Return the publisher's names by id; empty unless a log with names was loaded into this installation."""
    if settings.source.get_secret_value():
        return {}
    with connect(settings, "newsroom") as publisher:
        if publisher.execute("select to_regclass('loaded.names') is not null").fetchone() != (True,):
            return {}
        asked = {"kind": kind, "ids": list(ids), "names": list(names)}
        return dict(publisher.execute(query("operations/names"), asked).fetchall())


def _tell(verdict: Mapping[str, Any]) -> str:
    """Return version, day, origin and sentence of a verdict."""
    origin = tell_origin(verdict["kind"] or "", verdict["mode"] or "", verdict["actor"] or "")
    about = f"v{verdict['challenger_version']} as of {verdict['as_of']:%Y-%m-%d %H:%M} UTC, {origin}"
    return f"{about}: {verdict['sentence']}"


def _tell_more(verdict: Mapping[str, Any]) -> list[str]:
    """Return the run with its reason, the version to beat, and the numbers, the best first."""
    reached = {who: means["ndcg"] for who, means in verdict["metrics"].items() if means.get("ndcg")}
    best_first = sorted(reached, key=lambda who: (-reached[who], who))
    told = [f"run {verdict['run_id']}{': ' + verdict['reason'] if verdict['reason'] else ''}", verdict["rival"]]
    numbers = (
        "NDCG@10 " + ", ".join(f"{who} {write_number(reached[who], 'score')}" for who in best_first) if reached else ""
    )
    return [line for line in (*told, numbers) if line]


def tell_maker(lists: Mapping[str, Any]) -> str:
    """Return what made the lists."""
    return f"v{lists['model_version']}" if lists["model_version"] else f"the baseline {lists['baseline']}"


def tell_full_lists(lists: Mapping[str, Any]) -> str:
    """Return how many readers have a list, and how many of the lists are full if an audit counted them."""
    if lists["readers_with_ten"] is None:
        return f"{lists['readers']:,} readers have a list"
    return f"{lists['readers_with_ten']:,} of {lists['readers']:,} readers have {lists['list_length']}"


def render_status(status: dict[str, Any], moment: datetime) -> str:
    """Return the status as lines of text."""
    lines = []
    if status.get("trouble"):
        lines.append(status["trouble"])
    champion, lists, verdict = status["champion"], status["lists"], status["verdict"]
    if champion:
        lines.append(f"champion      v{champion['version']}, since {champion['promoted_at']:%Y-%m-%d %H:%M} UTC")
        lines.append(f"              {champion['why']}")
    else:
        lines.append("champion      none yet")
        if lists and lists["baseline"]:
            lines.append(f"              lists by the baseline {lists['baseline']}; no model has been promoted yet")
    if verdict:
        lines += [f"verdict       {_tell(verdict)}", *(f"              {line}" for line in _tell_more(verdict))]
    lines += [f"not counted   {_tell(other)}" for other in status["other_verdicts"]]
    lines += [f"incident      {incident['sentence']}" for incident in status["incidents"]]
    lines += [f"hold          {hold}" for hold in status["holds"]]
    lines += [f"taken down    {takedown}" for takedown in status["takedowns"]]
    lines += [f"question      {name} needs an answer: `bin/daybreak approve`" for name in status["questions"][:1]]
    if lists:
        lines.append(
            f"lists         {tell_full_lists(lists)}; as of {lists['generated_at']:%Y-%m-%d %H:%M} UTC, "
            f"{in_words(moment - lists['generated_at'])} ago" + (", STALE" if lists["is_stale"] else "")
        )
    else:
        lines.append("lists         none yet")
    if status.get("late_rows"):
        lines.append(f"late rows     {status['late_rows']}")
    if status["quarantined"]:
        newest = status["quarantined"][0]
        told = ", ".join(f"{row['code']} {row['rows']:,}" for row in status["quarantined"])
        lines.append(f"quarantine    {told} of snapshot {newest['snapshot_id']}: `bin/daybreak quarantine list`")
    lines += [
        f"failed        {run['name']}, {run['started_at']:%Y-%m-%d %H:%M}: {run['outcome']}"
        for run in status["failing"]
    ]
    lines += [f"running       {run['name']}, {run['how']}: {run['outcome']}" for run in status["running"]]
    if status["gaps"]:
        missing = Counter({gap["dag_id"]: 0 for gap in status["gaps"]})
        missing.update({gap["dag_id"]: gap["count"] for gap in status["gaps"]})
        told = ", ".join(f"{name} {count}" for name, count in missing.items())
        lines.append(f"gaps          {told} missing, failed or outdated: `bin/daybreak gaps`")
    if status["next"]:
        lines.append(f"next          {tell_next(status['next'], moment)}")
    lines.append("services      " + ", ".join(f"{name} {state}" for name, state in status["services"].items()))
    lines += [f"{name:<14}{address}" for name, address in status["links"].items()]
    return "\n".join(lines)
