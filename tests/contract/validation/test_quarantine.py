"""Quarantined rows as a person asks for them: counted, shown whole, and a hint where there are none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from include.adapters.warehouse import connect
from include.core.checks import Check
from include.core.run import Run
from include.pipeline.run import keep_checks
from include.validation.broken_rows import BrokenRow
from include.validation.judgement import quarantine_rows
from tests.parts import cli, servers
from tests.worlds import tiny

HOSTILE = "<b>x</b>'; drop table quarantine.articles; --\x1b[31m\n" + "long " * 400


@pytest.fixture(scope="module")
def settings(warehouse, tmp_path_factory):
    """Rows of three checks set aside in two snapshots; one of them came back."""
    settings = warehouse.model_copy(update={"home": tmp_path_factory.mktemp("quarantine")})
    servers.write_env_file(settings)
    snapshot = tiny.store(settings, {name: table.slice(0, 9) for name, table in tiny.tiny().items()})
    article = BrokenRow("articles", "f1", 3, "9003", ("ART103", "ART106"), json.dumps({"title": HOSTILE, "words": 0}))
    events = [
        BrokenRow("reading_events", "f2", number, str(number), ("EVT109",), json.dumps({"event_id": number}))
        for number in range(12)
    ]
    quarantine_rows(settings, snapshot, [article, *events], "recommend/1")
    settings_of_older = tiny.store(settings, {name: table.slice(0, 8) for name, table in tiny.tiny().items()})
    quarantine_rows(settings, settings_of_older, [article], "retrain/1")
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into quarantine.replays values ('reading_events', %s, 'f2', 5, 'mended', 'clean-1', now(), '',"
            " now(), 'replay/1')",
            [snapshot.id],
        )
    return settings, snapshot.id, settings_of_older.id


def test_the_list_counts_a_row_once_for_all_snapshots(settings):
    settings, newer, older = settings
    counted = {row["code"]: row for row in json.loads(cli.say(settings, "quarantine", "list", "--json").out)}
    numbers = {code: (row["rows"], row["replayed"], row["snapshots"]) for code, row in counted.items()}
    assert numbers == {"ART103": (1, 0, 2), "ART106": (1, 0, 2), "EVT109": (12, 1, 1)}
    assert counted["EVT109"]["snapshot_id"] == newer
    assert counted["ART103"]["snapshot_id"] == max(newer, older)


def test_the_list_reads_as_two_lines_for_each_check_newest_first_with_the_next_step(settings):
    settings, newer, older = settings
    lines = cli.say(settings, "quarantine", "list").out.splitlines()
    assert [line.split()[1] for line in lines if "waiting" in line] == ["ART103", "ART106", "EVT109"]
    (line,) = (line for line in lines if "EVT109" in line)
    assert line.split(maxsplit=2) == ["reading_events", "EVT109", "12 rows, 11 waiting and 1 back"]
    below = lines[lines.index(line) + 1]
    assert below.strip().startswith("position is plausible; ")
    assert below.endswith(f"in 1 snapshot {newer}")
    assert lines[lines.index(line) + 2].strip() == "came back in clean-1"
    (article,) = (line for line in lines if "ART103" in line)
    assert article.split(maxsplit=2)[2] == "1 row, 1 waiting"
    assert lines[lines.index(article) + 1].endswith(f"in 2 snapshots, the newest {max(newer, older)}")
    assert "quarantine replay" in lines[-1]


def test_the_list_says_how_many_rows_broke_a_rule_that_stopped_the_run(settings):
    """Only examples of them are kept then; a later run that goes on takes the sentence away."""
    settings, *_ = settings
    row = BrokenRow("subscribers", "f3", 1, "7", ("SUB101",), json.dumps({"reader_id": 7}))
    snapshot = tiny.store(settings, {name: table.slice(0, 7) for name, table in tiny.tiny().items()})
    sentence = "8,355 of 9,000 values (92.8 %) break 'reader_id is unique'; the limit is 2 %."
    check = Check("SUB101", "reader_id is unique", "subscribers", "block", "failed", 0.9283, "<= 0.02", sentence)
    quarantine_rows(settings, snapshot, [row], "recommend/2")
    keep_checks(Run(settings, "recommend/2", tiny.AS_OF, "test"), "validate", [check])
    told = cli.say(settings, "quarantine", "list", "--table", "subscribers").out
    assert f"The newest run was stopped, so only examples are kept: {sentence}" in told
    keep_checks(Run(settings, "recommend/2", tiny.AS_OF, "test"), "validate", [replace(check, outcome="passed")])
    assert "stopped" not in cli.say(settings, "quarantine", "list", "--table", "subscribers").out
    quarantine_rows(settings, snapshot, [], "recommend/2")


def test_the_list_takes_filters_and_says_when_nothing_fits(settings):
    settings, newer, _ = settings
    some = cli.say(settings, "quarantine", "list", "--snapshot", newer, "--table", "articles", "--code", "art103")
    assert [line.split()[1] for line in some.out.splitlines() if "waiting" in line] == ["ART103"]
    assert f"in 1 snapshot {newer}" in some.out
    none = cli.say(settings, "quarantine", "list", "--code", "EVT101")
    assert (none.code, none.out.startswith("No rows are quarantined for code EVT101.")) == (0, True)


def test_a_row_is_shown_whole_once_for_all_snapshots_and_safe_for_a_terminal(settings):
    settings, *_ = settings
    answer = cli.say(settings, "quarantine", "show", "articles", "9003")
    assert answer.out.count("articles 9003: waiting") == 1
    for part in ("breaks  ART103 title is there", "breaks  ART106 word_count is plausible", "in 2 snapshots"):
        assert part in answer.out
    assert "title  <b>x</b>'; drop table quarantine.articles; --\\x1b[31m\\nlong long" in answer.out
    whole = json.loads(cli.say(settings, "quarantine", "show", "articles", "9003", "--json").out)
    assert [row["original"]["title"] for row in whole] == [HOSTILE]


def test_rows_of_a_check_are_shown_up_to_a_limit_that_is_told(settings):
    settings, *_ = settings
    answer = cli.say(settings, "quarantine", "show", "reading_events", "--code", "EVT109")
    assert answer.out.count("event_id") == 10
    assert "… and 2 more; --limit 12 shows all." in answer.out
    one = cli.say(settings, "quarantine", "show", "reading_events", "5")
    assert one.out.startswith("reading_events 5: came back in clean-1")


@pytest.mark.parametrize(
    ("words", "fact", "hint"),
    [
        (("show", "articles", "1"), "No row of articles is quarantined under key 1", "ART103, ART106"),
        (("show", "subscribers", "1"), "No row of subscribers", "subscribers has no quarantined rows"),
        (("show", "articles"), "Name the rows of articles by key or by check.", "--code"),
        (("show", "news", "1"), "There is no table news", "subscribers, articles, reading_events"),
        (("list", "--table", "news"), "There is no table news", "subscribers, articles, reading_events"),
        (("replay", "--code", "SUB101"), "No row waits in quarantine for code SUB101", "quarantine list"),
        (("replay", "--snapshot", "x"), "There is no snapshot x", "quarantine list"),
    ],
)
def test_what_is_not_there_is_one_line_that_says_what_to_do(settings, words, fact, hint):
    settings, *_ = settings
    answer = cli.say(settings, "quarantine", *words)
    assert (answer.code, len(answer.error_lines), answer.out) == (1, 1, "")
    assert fact in answer.err
    assert hint in answer.err.partition("Hint: ")[2]


def test_without_a_name_the_newest_snapshot_of_a_training_run_is_tried_before_those_of_lists(settings):
    from include.validation.quarantine.rows import Wish, newest_snapshot

    settings, newer, older = settings
    assert newest_snapshot(settings, Wish()) == older
    assert newest_snapshot(settings, Wish(table="reading_events")) == newer
