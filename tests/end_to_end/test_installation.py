"""From an empty folder to live lists, a rejected challenger, a backfill, a drift alarm and a received mail, through
Airflow's scheduler, MLflow's server and a mail server."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from include.core.errors import ServiceError
from include.operations.gaps import find_schedules
from tests.end_to_end.conftest import READERS, wait_until
from tests.parts.crawler import crawl
from tests.unit.operations.test_tour import COMMANDS

pytestmark = pytest.mark.timeout(3600)  # the first test waits for a whole `up`, on a machine that may do much else


def promoted_by(installation, run_id):
    """The ledger's rows that a run of retrain wrote."""
    return installation.sql(f"select seq from ops.champions where run_id = 'retrain/{run_id}'")


def test_up_shows_champion_lists_one_readers_list_and_links(installation):
    told = installation.told
    assert "champion      v1" in told
    assert "Promoted v1: NDCG@10" in told
    assert "readers have 10" in told
    assert installation.settings.airflow_url in told
    assert f"admin / {installation.settings.airflow_password.get_secret_value()}" in told
    assert f"viewer / {installation.settings.airflow_viewer_password.get_secret_value()}" in told


def test_status_tells_champion_lists_and_services_as_json(installation):
    status = json.loads(installation.say("status", "--json"))
    assert status["champion"]["version"] >= 1
    assert {"promoted_at", "run_id", "snapshot_id"} <= set(status["champion"])
    assert status["lists"]["readers"] == status["lists"]["readers_with_ten"] > 0.9 * READERS
    assert set(status["services"].values()) == {"running"}


def test_the_schedules_by_which_gaps_are_found_are_those_of_the_dags(installation):
    found = {one["dag_id"]: (one["cron"], one["since"] is not None) for one in find_schedules(installation.settings)}
    assert found == {"retrain": ("0 3 * * *", True), "recommend": ("0 * * * *", True), "monitor": ("30 * * * *", True)}


def test_the_commands_of_the_tour_that_only_look_answer(installation):
    looking = [shlex.split(command) for command in COMMANDS if "rehearse" not in command and command != "status"]
    told = [installation.say(*words) for words in looking]
    assert all(told)
    assert "Reader 7" in "".join(told)


def test_every_reader_has_ten_distinct_unread_live_articles(installation):
    listed = installation.sql("select reader_id, article_id, generated_at from recs.current")
    [made_at] = {moment for _, _, moment in listed}
    readers = installation.sql(f"select reader_id from source.subscribers where signed_up_at < '{made_at}'", "--source")
    lists = {reader: [] for [reader] in readers}
    for reader, article, _ in listed:
        lists[reader].append(article)
    assert len(lists) > 0.9 * READERS
    assert {(len(articles), len(set(articles))) for articles in lists.values()} == {(10, 10)}
    read_before = installation.sql(
        "select reader_id, article_id from source.reading_events"
        f" where kind in ('click', 'read') and occurred_at < '{made_at}'",
        "--source",
    )
    assert not {(reader, article) for reader, article, _ in listed} & {tuple(pair) for pair in read_before}
    live = installation.sql(
        "select article_id from source.articles"
        f" where not (is_flagged and updated_at < '{made_at}') and published_at < '{made_at}'",
        "--source",
    )
    assert {article for _, article, _ in listed} <= {article for [article] in live}


def test_mlflow_names_the_champion_that_the_ledger_names(installation):
    registry = f"{installation.settings.mlflow_url}/api/2.0/mlflow/registered-models/alias?name=daybreak&alias=champion"

    def agree():  # the alias follows the ledger, so a promotion may come between the two looks
        [[version]] = installation.sql("select version from ops.champions order by seq desc limit 1")
        return installation.get(registry)["model_version"]["version"] == version

    wait_until(agree)


def test_a_viewer_only_looks_and_an_operator_starts_runs_under_their_own_name(installation):
    viewer, operator = installation.signed_in_as("viewer"), installation.signed_in_as("operator")
    assert viewer.runs("maintain")
    for refused in (
        lambda: viewer.trigger("maintain", {"dry_run": True}),
        lambda: viewer.patch("dags/maintain", {"is_paused": True}),
        lambda: viewer.patch("pools/heavy", {"pool": "heavy", "slots": 9, "include_deferred": False}),
    ):
        with pytest.raises(ServiceError, match="403"):
            refused()
    run_id = operator.trigger("maintain", {"dry_run": True})
    assert operator.run("maintain", run_id)["triggering_user_name"] == "operator"
    assert installation.finished("maintain", run_id) == "success"


def test_the_status_page_answers_and_a_readers_list_is_for_those_who_may_start_runs(installation):
    answer = installation.page("viewer", "")
    assert answer.status_code == 200
    assert "Is everything all right?" in answer.text
    assert re.search(r"v\d+, since ", answer.text)
    [[run_id]] = installation.sql("select run_id from ops.champions order by seq limit 1")
    assert installation.page("viewer", f"runs/{run_id}").status_code == 200
    assert installation.page("viewer", "readers/7").status_code == 403
    assert "Reader 7" in installation.page("operator", "readers/7").text


def test_an_operator_freezes_promotions_on_the_page_and_allows_them_again_and_a_viewer_may_not(installation):
    assert installation.page("viewer", "actions/freeze").status_code == 403
    holds = "select kind, actor, reason, lifted_by from ops.holds order by hold_id desc limit 1"
    for action, hours, lifted_by in (("freeze", {"hours": "1"}, ""), ("unfreeze", {}, "operator")):
        told, run_id = installation.act("operator", action, reason="elections", **hours)
        assert ("no version is promoted" if hours else "may promote a version again") in told
        assert installation.finished("hold", run_id) == "success"
        assert installation.sql(holds) == [["freeze", "operator", "elections", lifted_by]]
        assert "The run of hold is done." in installation.page("operator", f"actions/{action}/{run_id}").text


def test_the_pool_of_heavy_tasks_is_there_and_comes_back_when_somebody_removes_it(installation):
    def slots():
        return {pool["name"]: pool["slots"] for pool in installation.airflow.get("pools")["pools"]}.get("heavy")

    assert slots() == 3
    installation.airflow._call("DELETE", "pools/heavy")
    wait_until(lambda: slots() == 3, 90)


def test_tasks_link_to_their_reports(installation):
    run = installation.airflow.runs("retrain")[-1]["dag_run_id"]  # the oldest, which `up` waited for
    for task_id, link in {"validate": "Validation report", "train": "MLflow run", "judge": "Verdict"}.items():
        path = f"dags/retrain/dagRuns/{run}/taskInstances/{task_id}/links"
        links = installation.airflow.get(path)["extra_links"]
        assert links.get(link, "").startswith("http"), links


def test_drift_starts_a_retrain_that_says_why(installation):
    triggered = wait_until(
        lambda: [run for run in installation.airflow.runs("retrain") if run["run_type"] == "asset_triggered"]
    )
    run_id = triggered[-1]["dag_run_id"]
    assert installation.finished("retrain", run_id) == "success"
    [[reason]] = installation.sql("select reason from ops.retrain_requests order by window_end limit 1")
    assert "Word count of what is read: median" in reason
    why = installation.airflow.get(
        f"dags/retrain/dagRuns/{run_id}/taskInstances/extract/xcomEntries/why?deserialize=true"
    )
    assert reason in str(why["value"])


def test_a_form_that_no_run_can_work_with_fails_at_once_and_wakes_nobody(installation):
    run_id = installation.airflow.trigger("retrain", {"dry_run": True})
    assert installation.finished("retrain", run_id) == "failed"
    assert installation.task_states("retrain", run_id)["extract"] == "upstream_failed"
    [failed] = [task for task in installation.airflow.task_instances("retrain", run_id) if task["state"] == "failed"]
    assert "has no field dry_run" in str(installation.airflow.log(failed))
    with pytest.raises(ServiceError, match="400"):
        installation.airflow.trigger("retrain", {"window_days": "many"})
    assert not [mail for mail in installation.mails() if run_id in mail["body"]]


def test_data_that_land_are_taken_by_one_run_without_a_wait_however_often_they_land_or_it_runs(installation):
    until = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:00Z}"  # no run has taken it, at whatever hour of the day this is
    send = f"""select pg_notify('daybreak_landed', '{{"until": "{until}"}}')"""
    installation.sql(send, "--source")
    taken = f"select run_id, told_at from ops.landings where until_at = '{until}' and told_at is not null"
    [[taken_by, told_at]] = wait_until(lambda: installation.sql(f"{taken} and run_id is not null"))
    run_id = taken_by.removeprefix("retrain/")
    assert installation.finished("retrain", run_id) == "success"
    promotions = promoted_by(installation, run_id)
    installation.airflow.clear("retrain", run_id, "extract")
    assert installation.finished("retrain", run_id) == "success"
    assert promoted_by(installation, run_id) == promotions, "the same data changed the champion once more"
    assert (installation.task_states("retrain", run_id)["promote"] == "skipped") is not bool(promotions)
    [[versions, snapshots]] = installation.sql(
        f"select count(*), count(distinct snapshot_id) from ops.models where as_of = '{until}'"
    )
    assert versions == snapshots  # an article that the newsroom corrected meanwhile makes another snapshot
    installation.sql(send, "--source")
    [[again_by, _]] = wait_until(lambda: installation.sql(f"{taken} and told_at > '{told_at}'"))
    assert again_by == taken_by
    started = "select distinct run_id from ops.runs where reason like 'the publisher''s data up to % have landed'"
    assert installation.sql(started) == [[taken_by]], "a repeated message started a run"


@contextmanager
def away(folder):
    """A folder is gone until the block ends."""
    hidden = folder.with_name(f"{folder.name}.away")
    folder.rename(hidden)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        hidden.rename(folder)


def test_a_challenger_in_doubt_waits_for_a_person_and_their_click_promotes_it(installation):
    """The files of every version are gone under the run's feet: nobody can say that the challenger is better."""
    with installation.quiet():
        [[champion, as_of]] = installation.sql(
            "select version, (as_of + interval '1 second') at time zone 'UTC' || 'Z' from ops.models"
            " join (select version from ops.champions order by seq desc limit 1) c using (version)"
        )
        with ExitStack() as gone:
            for stored in (installation.home / "mlflow" / "artifacts").glob("*/models/*"):
                gone.enter_context(away(stored))
            gone.enter_context(away(installation.home / "models"))
            run_id = installation.airflow.trigger("retrain", {"as_of": as_of.replace(" ", "T")})
            assert installation.finished("retrain", run_id) == "success"
        states = installation.task_states("retrain", run_id)
        assert (states["promote"], states["ask"]) == ("skipped", "success")
        assert not promoted_by(installation, run_id)
        [[verdict_id]] = installation.sql(f"select verdict_id from ops.verdicts where run_id = 'retrain/{run_id}'")

        [(question, asked)] = wait_until(installation.questions).items()
        assert asked["subject"].endswith(f"or keep v{champion}?")
        assert verdict_id in asked["body"]
        assert "RT118" in asked["body"]
        [mail] = [mail for mail in installation.mails() if verdict_id in mail["body"]]
        assert mail["subject"].startswith("[ticket] ")
        assert "A decision is needed" in mail["subject"]
        assert "/required_actions" in mail["body"]

        installation.answer(question, "Promote", "it reads well")
        assert installation.finished("approve", question) == "success"
        [[version, before, actor, why]] = installation.sql(
            "select version, from_version, actor, why from ops.champions order by seq desc limit 1"
        )
        assert (before, actor, why) == (champion, "admin", "Promoted by admin: it reads well.")
        assert int(version) > int(champion)


def test_a_question_of_the_command_line_starts_approve(installation):
    known = {run["dag_run_id"] for run in installation.airflow.runs("approve")}
    installation.airflow.emit("question", {"verdict_id": "answered already", "reason": "It is likely."})
    started = wait_until(lambda: {run["dag_run_id"] for run in installation.airflow.runs("approve")} - known)
    assert installation.finished("approve", started.pop()) == "success"


def test_a_failed_run_mails_on_call_once_with_what_to_do(installation):
    run_id = installation.airflow.trigger("retrain", {"as_of": "2001-01-01T00:00:00Z", "reason": "end to end"})
    assert installation.finished("retrain", run_id) == "failed"
    [mail] = wait_until(lambda: [mail for mail in installation.mails() if run_id in mail["body"]])
    assert mail["subject"].startswith("[ticket] source (past days): retrain failed at ")
    for part in ("has no row for the window", "Hint:", "champion v", "/dags/retrain/runs/manual", "runbook"):
        assert part in mail["body"], f"{part} is missing in:\n{mail['body']}"
    assert not promoted_by(installation, run_id)


def test_a_rehearsal_breaks_the_demo_tells_on_call_and_leaves_all_as_it_was(installation):
    """The others take longer: `make rehearse` plays them all."""
    [played] = json.loads(installation.say("rehearse", "bad-data", "--json"))
    assert played["passed"], played
    subjects = [mail["subject"] for mail in installation.mails() if "Rehearsal: " in mail["subject"]]
    assert [subject.partition(" ")[0] for subject in subjects] == ["[recovered]", "[ticket]"]
    assert installation.sql(
        "select count(*) from ops.incidents where closed_at is null and subject like 'Rehearsal%'"
    ) == [["0"]]
    assert "nothing had to be mended" in installation.say("rehearse", "--clean")


def test_a_backfill_judges_the_day_as_it_was_and_promotes_nothing(installation):
    day = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%d")
    body = {"dag_id": "retrain", "from_date": f"{day}T00:00:00Z", "to_date": f"{day}T23:00:00Z", "dag_run_conf": {}}
    installation.airflow.post("backfills", body)
    run = wait_until(lambda: [r for r in installation.airflow.runs("retrain") if r["run_type"] == "backfill"])[0]
    assert installation.finished("retrain", run["dag_run_id"]) == "success"
    states = installation.task_states("retrain", run["dag_run_id"])
    assert (states["judge"], states["promote"]) == ("success", "skipped")
    assert not promoted_by(installation, run["dag_run_id"])
    [[verdicts]] = installation.sql(f"select count(*) from ops.verdicts where as_of = '{day} 03:00+00'")
    assert verdicts == "1"


def test_every_link_of_every_page_and_mail_leads_to_something(installation):
    installation.say("alerts", "test")  # a mail, whatever the other tests have brought about
    settings = installation.settings
    airflow, mailbox = (f"http://127.0.0.1:{port}" for port in (settings.airflow_port, settings.mailbox_port))
    with installation.browser("operator") as browser, httpx.Client(timeout=60, trust_env=False) as reader:

        def get(address):
            parts = urlsplit(address)
            if address.startswith(mailbox):
                return reader.get(address, follow_redirects=True)
            run = re.fullmatch(r"/dags/([^/]+)(?:/runs/([^/]+))?(?:/.*)?", parts.path)
            if run:  # Airflow's own page answers for any run: its API knows
                dag_id, run_id = run.groups()
                return browser.get(f"/api/v2/dags/{dag_id}" + (f"/dagRuns/{run_id}" if run_id else ""))
            answer = browser.get(address)
            while answer.has_redirect_location:  # httpx follows without the cookie of the sign-in
                answer = browser.get(urljoin(address, answer.headers["location"]))
            return answer

        def is_ours(address):
            return address.startswith((f"{airflow}/daybreak", f"{airflow}/dags/", f"{mailbox}/"))

        visited, broken = crawl([f"{airflow}/daybreak/", f"{airflow}/daybreak/runbook", f"{mailbox}/"], get, is_ours)
    assert broken == []
    for part in ("/daybreak/reports/", "/daybreak/readers", "/daybreak/runs/", "/dags/", f"{mailbox}/mails/"):
        assert any(part in address for address in visited), f"no link leads to {part}"
