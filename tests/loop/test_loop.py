"""The whole loop from the command line, on real parts, without Airflow: what a person types and what readers get."""

from __future__ import annotations

import getpass
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest

from include.adapters import mlflow_client, mlflow_registry
from include.adapters.warehouse import connect
from include.core.settings import PROJECT
from tests.parts import cli, servers
from tests.worlds import tiny

AS_OF = tiny.AS_OF.isoformat()


@pytest.fixture(scope="module")
def before(first_retrain, live_lists, mlflow_server):
    """What is kept before the same words are said again."""
    return what_is_kept(mlflow_server)


@dataclass(frozen=True)
class Again:
    """How the words ended, by word, and what lay in the temporary folder afterwards."""

    answers: dict[str, cli.Answer]
    left: list[str]


# Each word in turn, then an end as Airflow ends a task: without the interpreter's own tidying up.
AGAIN = """
import dataclasses, json, os, sys
from include.core.settings import load_settings
from tests.parts import cli
for word in sys.argv[2:]:
    answer = cli.say(load_settings(), word, "--as-of", sys.argv[1])
    print(json.dumps(dataclasses.asdict(answer)), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def again(before, mlflow_server, tmp_path_factory):
    """`retrain` and `recommend` once more on the same data, and `monitor`, in a process of their own."""
    folder, words = tmp_path_factory.mktemp("temporary"), ("retrain", "recommend", "monitor")
    where = {"TMPDIR": str(folder), "DAYBREAK_HOME": str(mlflow_server.home)}
    command = [sys.executable, "-c", AGAIN, AS_OF, *words]
    done = subprocess.run(command, check=True, cwd=PROJECT, env=os.environ | where, capture_output=True, text=True)
    answers = [cli.Answer(**json.loads(line)) for line in done.stdout.splitlines()]
    return Again(dict(zip(words, answers, strict=True)), sorted(path.name for path in folder.iterdir()))


def what_is_kept(settings):
    """Ledger, versions and batches."""
    versions = mlflow_client.client(settings).search_model_versions("name = 'daybreak'")
    ledger = ask(settings, "select seq, version from ops.champions order by seq")
    batches = ask(settings, "select batch_id, published_at, written_at from recs.batches order by 1")
    return ledger, sorted(int(version.version) for version in versions), batches


@pytest.fixture(scope="module")
def lists(live_lists, tiny_world):
    """Readers' live lists, best first: reader -> articles."""
    with connect(tiny_world, "daybreak_api") as api:
        rows = api.execute("select reader_id, article_id from recs.current order by reader_id, rank").fetchall()
    found = {}
    for reader, article in rows:
        found.setdefault(reader, []).append(article)
    return found


def ask(settings, text, *values, role="daybreak_run"):
    with connect(settings, role) as database:
        return database.execute(text, values).fetchall()


def test_the_first_retrain_promotes_and_says_why(first_retrain):
    assert first_retrain.answer.out.startswith("Promoted v1: NDCG@10 ")


def test_the_first_retrain_names_what_it_was_judged_against_and_the_champion_it_made(first_retrain):
    assert "\nJudged against the baselines alone: there is no champion yet.\n" in first_retrain.answer.out
    assert first_retrain.answer.err.splitlines()[-1].endswith("v1 is champion")


def test_the_first_champion_is_in_the_ledger_with_its_snapshot_verdict_and_actor(first_retrain, tiny_world):
    model, verdict = first_retrain.model, first_retrain.verdict
    ledger = "select seq, version, from_version, action, actor, snapshot_id, verdict_id, run_id from ops.champions"
    expected = (
        1,
        int(model.id),
        None,
        "promote",
        getpass.getuser(),
        model.parents[1],
        verdict.id,
        first_retrain.run_id,
    )
    assert ask(tiny_world, ledger)[0] == expected


def test_mlflow_calls_the_first_champion_by_its_alias(first_retrain, mlflow_server):
    assert mlflow_registry.read_alias(mlflow_server, "champion") == int(first_retrain.model.id)


def test_the_second_retrain_on_the_same_data_keeps_the_champion_and_is_no_failure(again):
    assert again.answers["retrain"].code == 0
    assert again.answers["retrain"].out.startswith(
        "Kept v1: the files are the same as those of v1, so there is nothing new to promote. [RT107]"
    )


def test_the_same_recommend_again_says_the_same(again, live_lists):
    assert (again.answers["recommend"].code, again.answers["recommend"].out) == (0, live_lists.out)


def test_the_same_words_again_add_nothing_to_the_ledger_and_no_version_and_change_no_batch(
    before, again, mlflow_server
):
    assert what_is_kept(mlflow_server) == before


def test_a_run_leaves_nothing_in_the_temporary_folder_even_if_its_process_is_ended_as_airflow_ends_a_tasks(again):
    assert again.left == []


def test_every_subscriber_gets_a_list(lists):
    assert set(lists) == {*range(1, tiny.READERS + 1), *tiny.COLD_READERS}


def test_every_list_has_ten_distinct_articles(lists):
    assert {len(set(articles)) for articles in lists.values()} == {10}


def test_no_list_has_an_article_that_its_reader_has_read(lists, tiny_world):
    read = ask(
        tiny_world,
        "select distinct reader_id, article_id from source.reading_events where kind in ('click', 'read')"
        " and occurred_at < %s and ingested_at < %s",
        tiny.AS_OF,
        tiny.AS_OF,
        role="newsroom",
    )
    listed = {(reader, article) for reader, articles in lists.items() for article in articles}
    assert not listed & set(read)


@pytest.mark.parametrize(("column", "setting"), [("category", "max_per_category"), ("publisher", "max_per_publisher")])
def test_no_list_has_too_much_of_one_kind(lists, tiny_world, column, setting):
    kinds = dict(ask(tiny_world, f"select article_id, {column} from source.articles", role="newsroom"))
    counted = [Counter(kinds[article] for article in articles) for articles in lists.values()]
    assert max(count for kinds in counted for count in kinds.values()) <= getattr(tiny_world, setting)


def test_every_listed_article_is_live(lists, tiny_world):
    live = ask(
        tiny_world,
        "select article_id from source.articles where not is_flagged and published_at < %s and ingested_at < %s"
        " and published_at >= %s",
        tiny.AS_OF,
        tiny.AS_OF,
        tiny.AS_OF - timedelta(hours=tiny_world.article_max_age_hours),
        role="newsroom",
    )
    assert {article for articles in lists.values() for article in articles} <= {article for (article,) in live}


def test_readers_get_what_their_group_spends_time_on(lists):
    """The best place goes to a long article of the reader's own category, though short ones are opened more often."""
    first = {reader: articles[0] for reader, articles in lists.items() if reader <= tiny.READERS}
    suits = [article % 4 == tiny.group_of(reader) and tiny.is_long(article) for reader, article in first.items()]
    assert sum(suits) >= 0.95 * len(suits)


def test_monitor_says_how_the_lists_did_and_whether_reading_moved(again):
    assert again.answers["monitor"].code == 0, again.answers["monitor"].err
    assert again.answers["monitor"].out == (
        "Our lists: not seen by readers in this window. Nothing moved: all 13 watched columns are as in ordinary "
        "windows. No retrain is requested.\n"
    )


def test_commands_print_progress_and_their_answer_and_no_noise_of_libraries(first_retrain, live_lists):
    seconds = r"(\d+ min )?[\d.]+ s"
    progress = re.compile(rf"\w+ …|\w+ +{seconds}(, usually {seconds})? …|\w+ +{seconds}  ([\w-]+|v\d+ is champion)")
    for answer in (first_retrain.answer, live_lists):
        assert [line for line in answer.err.splitlines() if not progress.fullmatch(line)] == []
        assert "\x1b" not in answer.out


def test_status_tells_champion_lists_and_verdict_as_data(live_lists, first_retrain, tiny_world):
    status = json.loads(cli.say(tiny_world, "status", "--json").out)
    assert status["verdict"]["sentence"].startswith(("Promoted v1: ", "Kept v1: "))
    with connect(tiny_world) as warehouse:
        started = "select kind, actor from ops.runs where run_id = %s and stage = 'judge'"
        assert warehouse.execute(started, [first_retrain.run_id]).fetchone() == ("command", getpass.getuser())
    champion, lists = status["champion"], status["lists"]
    assert (champion["version"], champion["run_id"]) == (1, first_retrain.run_id)
    assert champion["snapshot_id"] == first_retrain.model.parents[1]
    assert (lists["readers"], lists["readers_with_ten"]) == (244, 244)
    assert lists["generated_at"].startswith("2025-03-09 00:00:00")
    assert isinstance(status["services"], dict)


def test_show_prints_a_readers_list_with_titles_and_reasons(lists, tiny_world):
    lines = cli.say(tiny_world, "show", "7").out.strip().splitlines()
    assert lines[0] == "Reader 7"
    assert len(lines) == 11
    assert "Culture, story" in lines[1]


def test_a_backfill_does_each_day_again_says_what_it_read_and_goes_on_after_a_day_without_data(tiny_world, snapshot):
    words = ("--from", "2025-03-03", "--to", "2025-03-05", "--mode", "data", "--reason", "a gap")
    answer = cli.say(tiny_world, "backfill", *words)
    head, empty, *rows, _, told, page = answer.out.splitlines()
    assert head.startswith(
        "as of (UTC)       rows read  quarantined  trained  judged against  would have changed  outcome"
    )
    assert empty.startswith("2025-03-03 00:00")
    assert "Failed at extract: source.reading_events has no row for the window" in empty
    assert [row[:16] for row in rows] == ["2025-03-04 00:00", "2025-03-05 00:00"]
    assert all(row.endswith("Data only: no features are built and nothing is trained.") for row in rows)
    assert told == "1 of 3 days failed. Data only: no features are built and nothing is trained."
    (report,) = (tiny_world.home / "reports" / "backfills").glob("*.html")
    assert page.endswith(f"/daybreak/reports/backfills/{report.name}")
    assert answer.error_lines == [
        "daybreak: 1 of 3 days failed; what was done is kept. Hint: remove the cause, then run "
        "`bin/daybreak backfill --from 2025-03-03T00:00 --to 2025-03-03T00:00 --mode data`."
    ]
    kept = "select distinct kind, mode, reason from ops.runs where run_id like 'cli/backfill/%%'"
    assert ask(tiny_world, kept) == [("backfill", "data", "a gap")]
    runs = json.loads(cli.say(tiny_world, "runs", "backfill", "--json").out)["runs"]
    assert {run["how"] for run in runs} == {f"backfill, data only by {getpass.getuser()}"}


def test_a_backfill_from_the_command_line_promotes_only_with_a_word(tiny_world):
    words = ("--from", "2025-03-04", "--to", "2025-03-05", "--mode", "enforce")
    code, line = refused(tiny_world, "backfill", *words)
    assert code == 13
    assert (
        "A backfill in mode enforce promotes, and that is not confirmed. Hint: confirm it with the word publish" in line
    )


def refused(settings, *words, **variables):
    """The one line on standard error, and the exit code, of a word that must fail."""
    answer = cli.say(settings, *words, **variables)
    assert len(answer.error_lines) == 1, answer.err
    assert answer.err.splitlines()[-1] == answer.error_lines[0]
    assert answer.out == ""
    return answer.code, answer.error_lines[0]


def test_a_wrong_setting_is_one_line_that_names_it(tiny_world):
    code, line = refused(tiny_world, "retrain", DAYBREAK_WINDOW_DAYS="many")
    assert code == 2
    assert "DAYBREAK_WINDOW_DAYS='many'" in line


def test_an_unknown_setting_is_one_line_that_names_it(tiny_world):
    code, line = refused(tiny_world, "retrain", DAYBREAK_WINDOW_WEEKS="2")
    assert code == 2
    assert "Unknown setting DAYBREAK_WINDOW_WEEKS" in line


def test_an_unknown_word_is_one_line(tiny_world):
    code, line = refused(tiny_world, "reboot")
    assert code == 2
    assert "There is no command 'reboot'" in line


def test_an_unknown_model_is_refused_before_anything_runs(tiny_world):
    answer = cli.say(tiny_world, "retrain", "--as-of", AS_OF, "--model", "three_stage")
    assert answer.code == 2
    assert "'three_stage' is not possible for --model. Hint: did you mean `two_stage`?" in answer.err
    assert "extract" not in answer.err


def test_a_day_that_is_no_day_is_one_line(tiny_world):
    assert refused(tiny_world, "retrain", "--as-of", "yesterday") == (
        2,
        "daybreak: 'yesterday' is not a date or time. Hint: write it as 2026-11-20 or 2026-11-20T03:00:00Z.",
    )


def test_a_moment_yet_to_come_is_one_line(tiny_world):
    code, line = refused(tiny_world, "retrain", "--as-of", "2999-01-01")
    assert code == 1
    assert "2999-01-01 00:00 UTC is in the future" in line


def test_a_postgresql_that_does_not_answer_is_one_line(tiny_world):
    port = servers.free_port()
    code, line = refused(tiny_world, "retrain", "--as-of", AS_OF, DAYBREAK_POSTGRES_PORT=str(port))
    assert code == 4
    assert f"PostgreSQL at 127.0.0.1:{port}/warehouse refused" in line


def test_a_window_without_data_is_one_line_that_names_window_and_table(tiny_world, snapshot):
    code, line = refused(tiny_world, "retrain", "--as-of", "2025-03-03")
    assert code == 5
    assert "source.reading_events has no row for the window 2025-02-26 00:00 to 2025-03-03 00:00 UTC" in line


def test_a_pin_without_a_champion_is_one_line(fresh_warehouse):
    servers.write_env_file(fresh_warehouse)
    code, line = refused(fresh_warehouse, "pin", "1", "--reason", "it is good")
    assert code == 7
    assert "No model has been promoted yet" in line


def test_a_failed_stage_is_kept_as_failed_with_its_error(tiny_world):
    cli.say(tiny_world, "retrain", "--as-of", "2020-01-10")
    found = "select stage, status, error from ops.runs where run_id = %s"
    rows = ask(tiny_world, found, cli.last_run(tiny_world, "retrain"))
    assert [row[:2] for row in rows] == [("extract", "failed")]
    assert "has no row" in rows[0][2]
