"""A log in files becomes rows in the views of the contract: every row counted, nothing twice, nothing by halves."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.adapters.warehouse import connect
from include.data.loading.mapping import read_mapping
from tests.parts import cli, servers

CLICKS = """
events:
  files: clicks*
  columns:
    reader_id: user_id
    article_id: click_article_id
    kind: {constant: click}
    occurred_at: {column: click_timestamp, unit: ms}
"""
FIRST_MS = 1_507_000_000_000  # 2017-10-03 03:06:40 UTC


@pytest.fixture
def home(warehouse, tmp_path):
    """An installation with an empty state folder and nothing loaded."""
    settings = warehouse.model_copy(update={"home": tmp_path / "home"})
    settings.home.mkdir()
    servers.write_env_file(settings)
    with connect(settings, "newsroom") as publisher:
        publisher.execute(
            "drop table if exists loaded.events, loaded.articles, loaded.readers, loaded.names, newsroom.customers,"
            " newsroom.stories, newsroom.tracking, newsroom.in_flight, newsroom.state, newsroom.scenarios cascade"
        )
    return settings


def clicks(folder, rows, name="clicks.csv", header="user_id,session_id,click_article_id,click_timestamp"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def good_rows(count, first=0):
    return [f"{n % 7},{n},{n % 5 + 100},{FIRST_MS + 1000 * n}" for n in range(first, first + count)]


def load(home, mapping, *words):
    path = home.home / "mapping.yaml"
    path.write_text(mapping)
    return cli.say(home, "load", *[str(word) for word in words], "--mapping", str(path))


def ask(home, text, *values):
    with connect(home, "newsroom") as publisher:
        return publisher.execute(text, values).fetchall()


def size(home):
    return ask(home, "select count(*) from loaded.events")[0][0]


def test_clicks_alone_fill_all_three_views(home, tmp_path):
    answer = load(home, CLICKS, clicks(tmp_path, good_rows(20)))
    assert answer.code == 0, answer.err
    assert "20 read from 1 file = 20 loaded + 0 already there + 0 left out + 0 rejected" in answer.out
    first = datetime(2017, 10, 3, 3, 6, 40, tzinfo=UTC)
    assert ask(home, "select article_id, published_at, ingested_at from source.articles order by 1 limit 1") == [
        (100, first, first)
    ]
    assert ask(home, "select count(*), min(signed_up_at) from source.subscribers") == [(7, first)]
    with connect(home, "daybreak_extract") as extract:
        found = extract.execute("select kind, count(*) from source.reading_events group by 1").fetchall()
    assert found == [("click", 20)]


def test_the_same_file_again_adds_nothing_and_a_longer_one_adds_what_is_new(home, tmp_path):
    load(home, CLICKS, clicks(tmp_path, good_rows(20)))
    again = load(home, CLICKS, clicks(tmp_path, good_rows(20), "clicks_copy.csv"))
    assert "20 read from 1 file = 0 loaded + 20 already there" in again.out
    longer = load(home, CLICKS, clicks(tmp_path, good_rows(25)))
    assert "25 read from 1 file = 5 loaded + 20 already there" in longer.out
    assert size(home) == 25


def test_equal_events_of_one_file_are_events_of_their_own(home, tmp_path):
    load(home, CLICKS, clicks(tmp_path, [good_rows(1)[0]] * 3))
    assert size(home) == 3


def test_replace_forgets_what_was_loaded_before(home, tmp_path):
    load(home, CLICKS, clicks(tmp_path, good_rows(20)))
    load(home, CLICKS, clicks(tmp_path, good_rows(5, first=1000)), "--replace")
    assert size(home) == 5
    assert ask(home, "select count(*) from source.articles")[0][0] == 5


def test_a_trial_counts_and_writes_nothing(home, tmp_path):
    answer = load(home, CLICKS, clicks(tmp_path, good_rows(20)), "--dry-run")
    assert "20 read from 1 file = 20 could be loaded" in answer.out
    assert ask(home, "select to_regclass('loaded.events')")[0][0] is None


BAD = ["x,1,100,1507000000000", "1,2", "1,1,100,1507000000000,9", "2,1,,1507000000000", "3,1,100,soon"]


def test_bad_rows_are_counted_and_kept_with_file_line_and_reason(home, tmp_path):
    rows = good_rows(400)
    rows[10:10], rows[200:200] = BAD[:3], BAD[3:]
    path = clicks(tmp_path, rows)
    path.write_bytes(path.read_bytes() + b"\xff\xfe,1,100,1507000000000\n")
    answer = load(home, CLICKS, path)
    assert "406 read from 1 file = 400 loaded + 0 already there + 0 left out + 6 rejected" in answer.out
    kept = next(home.home.glob("rejects/*.csv")).read_text()
    places = {line.split(",")[2] for line in kept.splitlines()[1:]}
    assert places == {"12", "13", "14", "202", "203", "407"}
    for reason in (
        'reader_id ""x"" is not a whole number',
        "article_id is empty",
        "not a time between 1990 and 2100 as ms",
    ):
        assert reason in kept


def test_too_many_bad_rows_stop_the_load_and_what_was_there_stays(home, tmp_path):
    load(home, CLICKS, clicks(tmp_path, good_rows(20)))
    answer = load(home, CLICKS, clicks(tmp_path, [*good_rows(30, first=50), *BAD]), "--replace")
    assert answer.code == 6
    assert "5 of 35 events (14.3 %) cannot be used" in answer.err
    assert size(home) == 20


def test_times_in_another_unit_are_an_error_that_names_the_unit(home, tmp_path):
    rows = [f"1,1,100,{1_507_000_000 + n}" for n in range(20)]
    answer = load(home, CLICKS, clicks(tmp_path, rows))
    assert answer.code == 6
    assert "is not a time between 1990 and 2100 as ms; it would be one as s" in answer.err


def test_a_local_time_needs_its_zone_and_is_moved_by_it(home, tmp_path):
    rows = [f"1,1,100,2017-07-0{n} 12:00:00" for n in range(1, 9)]
    mapping = CLICKS.replace(", unit: ms", "")
    answer = load(home, mapping, clicks(tmp_path, rows))
    assert answer.code == 6
    assert "it would be one as iso once you give its zone" in answer.err
    load(home, mapping.replace("click_timestamp}", "click_timestamp, zone: Europe/Oslo}"), clicks(tmp_path, rows))
    assert ask(home, "select min(occurred_at) from source.reading_events")[0][0].hour == 10


def test_articles_and_readers_are_told_about_before_or_after_their_events(home, tmp_path):
    mapping = """
articles:
  files: articles*
  columns:
    article_id: article_id
    category: category_id
    word_count: words
    published_at: {column: created_at_ts, unit: ms}
"""
    load(home, CLICKS, clicks(tmp_path, good_rows(20)))
    text = f"article_id,category_id,created_at_ts,words\n100,281,{FIRST_MS - 5000},120\n999,1,{FIRST_MS},80\n"
    (tmp_path / "articles.csv").write_text(text)
    answer = load(home, mapping, tmp_path / "articles.csv")
    assert "2 read from 1 file = 2 loaded" in answer.out
    assert "4 articles are known only from events" in answer.out
    found = ask(home, "select article_id, title, category, word_count from source.articles order by 1")
    assert found == [
        (100, None, "281", 120),
        *((n, None, "unknown", None) for n in range(101, 105)),
        (999, None, "1", 80),
    ]


def test_ids_that_are_text_keep_their_names(home, tmp_path):
    mapping = """
events:
  files: behaviors.tsv
  header: false
  split: {column: 5}
  columns:
    reader_id: {column: 2, type: text}
    article_id: {column: 5, take: "^(.+)-[01]$", type: text}
    kind: {column: 5, take: "-([01])$", values: {"1": [impression, click], "0": impression}}
    occurred_at: {column: 3, format: "%m/%d/%Y %I:%M:%S %p", zone: UTC}
    session_id: 1
"""
    text = "1\tU7\t11/15/2019 8:55:22 PM\tN9 N8\tN1-0 N2-1 N3-0\n2\tU8\t11/15/2019 9:55:22 AM\t\tN1-1\n"
    (tmp_path / "behaviors.tsv").write_text(text)
    answer = load(home, mapping, tmp_path / "behaviors.tsv")
    assert answer.code == 0, answer.err
    shown = ask(
        home,
        "select r.name, a.name, e.kind, occurred_at::text, session_id from source.reading_events e"
        " join loaded.names r on r.kind = 'reader' and r.id = reader_id"
        " join loaded.names a on a.kind = 'article' and a.id = article_id order by 1, 2, 3",
    )
    evening = "2019-11-15 20:55:22+00"
    assert shown == [
        ("U7", "N1", "impression", evening, 1),
        ("U7", "N2", "click", evening, 1),
        ("U7", "N2", "impression", evening, 1),
        ("U7", "N3", "impression", evening, 1),
        ("U8", "N1", "click", "2019-11-15 09:55:22+00", 2),
        ("U8", "N1", "impression", "2019-11-15 09:55:22+00", 2),
    ]


JSON_LINES = """
events:
  files: "*.jsonl*"
  columns:
    reader_id: {column: profile.id, type: text}
    article_id: {column: doc, type: text}
    kind: {constant: read}
    occurred_at: {column: time, unit: s}
    dwell_seconds: activeTime
  read_without_dwell: click
articles:
  files: "*.jsonl*"
  columns: {article_id: {column: doc, type: text}, title: title, category: category}
"""


def test_json_lines_packed_and_nested_fill_events_and_articles_at_once(home, tmp_path):
    rows = [
        {"profile": {"id": f"u{n % 3}"}, "doc": f"d{n % 2}", "time": 1_500_000_000 + n, "title": f"T “{n % 2}”",
         "category": "news", "activeTime": 30 if n % 2 else None}
        for n in range(10)
    ]  # fmt: skip
    path = tmp_path / "day.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    answer = load(home, JSON_LINES, path)
    assert answer.code == 0, answer.err
    assert "articles  10 read from 1 file = 2 loaded + 8 already there" in answer.out
    assert "5 reads without dwell_seconds count as clicks" in answer.out
    kinds = ask(home, "select kind, sum(dwell_seconds), count(*) from source.reading_events group by 1 order by 1")
    assert kinds == [("click", None, 5), ("read", 150.0, 5)]
    assert {title for (title,) in ask(home, "select title from source.articles")} == {"T “0”", "T “1”"}


def test_parquet_and_zipped_files_say_the_same_as_csv(home, tmp_path):
    rows = [row.split(",") for row in good_rows(20)]
    columns = [pa.array([int(row[n]) for row in rows]) for n in range(4)]
    pq.write_table(
        pa.table(columns, ["user_id", "session_id", "click_article_id", "click_timestamp"]), tmp_path / "clicks.parquet"
    )
    plain = clicks(tmp_path, good_rows(20))
    with zipfile.ZipFile(tmp_path / "log.zip", "w") as archive:
        archive.write(plain, "deep/clicks_2.csv")
    assert "= 20 loaded" in load(home, CLICKS, plain).out
    for name in ("clicks.parquet", "log.zip"):
        assert "= 0 loaded + 20 already there" in load(home, CLICKS, tmp_path / name).out, name


def test_while_a_loaded_log_is_shown_the_demo_stands_still_until_it_is_asked_back(home, tmp_path):
    size_of_it = ("--days", "1", "--readers", "200", "--articles-per-day", "48")
    played = cli.say(home, "newsroom", "play", "--until", "2025-03-09", *size_of_it)
    assert played.code == 0, played.err
    before = ask(home, "select count(*) from newsroom.tracking")
    load(home, CLICKS, clicks(tmp_path, good_rows(20)))
    still = cli.say(home, "newsroom", "play", "--until", "2025-03-10")
    assert (still.code, ask(home, "select count(*) from newsroom.tracking")) == (0, before)
    assert "is not played" in still.err
    cli.say(home, "newsroom", "return")
    assert ask(home, "select count(*) from source.reading_events") == before
    cli.say(home, "newsroom", "play", "--until", "2025-03-10")
    assert ask(home, "select count(*) from newsroom.tracking") > before


def test_a_load_that_dies_before_the_end_leaves_what_was_there(home, tmp_path, monkeypatch):
    from include.data.loading import tables

    load(home, CLICKS, clicks(tmp_path, good_rows(20)))
    real = tables.query

    def die(name):
        if name == "data/loading/show":
            raise KeyboardInterrupt
        return real(name)

    monkeypatch.setattr(tables, "query", die)
    answer = load(home, CLICKS, clicks(tmp_path, good_rows(40)), "--replace")
    monkeypatch.undo()
    assert answer.code == 130
    assert size(home) == 20
    assert (
        "40 read from 1 file = 20 loaded + 20 already there" in load(home, CLICKS, clicks(tmp_path, good_rows(40))).out
    )


def refusal(tmp_path, text):
    from include.core.errors import SettingsError

    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_mapping(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("reader_id:", "reeder_id:"), "1 unknown column: reeder_id"),
        (("kind: {constant: click}", "kind: {constant: look}"), "has look; a kind is impression, click, read"),
        (("unit: ms", "unit: m"), "occurred_at.unit is 'm', not s, ms, us, ns or iso"),
        (("unit: ms", "zone: Oslo"), "is 'Oslo', which is not a time zone"),
        (("unit: ms", "format: '%Y'"), "has a format but no zone"),
        (("  files: clicks*\n", ""), "must have `files` and `columns`"),
        (("    reader_id: user_id\n", ""), "must map reader_id"),
        (("events:", "event:"), "must have some of the sections events, articles, readers"),
        (("columns:", "columns: ["), "cannot be read"),
    ],
)
def test_a_mapping_with_a_fault_is_refused_with_its_place(tmp_path, change, said):
    assert said in refusal(tmp_path, CLICKS.replace(*change))


def test_a_column_that_the_file_has_not_is_named_with_those_it_has(home, tmp_path):
    answer = load(home, CLICKS.replace("user_id", "usr"), clicks(tmp_path, good_rows(3)))
    assert answer.code == 2
    assert "clicks.csv has no column usr; it has user_id, session_id, click_article_id, click_timestamp" in answer.err


def test_a_file_that_no_section_reads_is_named(home, tmp_path):
    answer = load(home, CLICKS, clicks(tmp_path, good_rows(3)), clicks(tmp_path, [], "other.csv"))
    assert answer.code == 2
    assert "No section of the mapping reads 1 file: other.csv" in answer.err


def test_without_a_mapping_one_is_proposed_that_loads(home, tmp_path):
    proposed = cli.say(home, "load", str(clicks(tmp_path, good_rows(20), "clicks_001.csv")))
    assert "occurred_at: {column: click_timestamp, unit: ms}" in proposed.out
    assert "= 20 loaded" in load(home, proposed.out, tmp_path / "clicks_001.csv").out


def test_files_without_rows_are_proposed_with_those_they_resemble_and_load(home, tmp_path):
    """Logs in hourly files have hours without a click: a header and no row, or nothing at all in JSON lines."""
    folder = tmp_path / "log"
    folder.mkdir()
    clicks(folder, [], "clicks_000.csv")
    clicks(folder, good_rows(20), "clicks_001.csv")
    clicks(folder, ["", ""], "sample.csv")
    (folder / "notes.txt").write_text("an hour was lost\n")
    rows = [json.dumps({"user_id": n, "article_id": n, "ts": FIRST_MS + n, "event": "click"}) for n in range(5)]
    (folder / "app_0.jsonl").write_text("")
    (folder / "app_1.jsonl").write_text("\n".join(rows) + "\n")
    empty = pa.table({"article_id": pa.array([], pa.int64()), "title": pa.array([], pa.string())})
    pq.write_table(empty, folder / "none.parquet")
    pq.write_table(pa.table({"article_id": [1], "title": ["One"]}), folder / "articles.parquet")
    proposed = cli.say(home, "load", str(folder))
    assert proposed.code == 0, proposed.err
    assert 'files: ["clicks_*.csv", "sample.csv"]' in proposed.out
    assert 'files: ["articles.parquet", "none.parquet"]' in proposed.out
    assert 'files: "app_*.jsonl"' in proposed.out
    assert "# leave out 1 file without rows that resemble no other: notes.txt" in proposed.out
    files = [*folder.glob("*.csv"), *folder.glob("*.parquet")]
    answer = load(home, proposed.out, *files)
    assert "20 read from 3 files = 20 loaded" in answer.out, answer.err
    assert "1 read from 2 files = 1 loaded" in answer.out


def test_where_no_file_has_rows_that_is_said_with_their_names(home, tmp_path):
    for number in range(7):
        clicks(tmp_path, [], f"clicks_{number}.csv")
    answer = cli.say(home, "load", str(tmp_path / "clicks_*.csv"))
    assert (answer.code, answer.out, len(answer.error_lines)) == (5, "", 1)
    assert "None of 7 files has enough rows to guess from: clicks_0.csv, clicks_1.csv" in answer.err
    assert "clicks_4.csv and 2 more." in answer.err


def test_negative_ids_of_nineteen_digits_are_ids(home, tmp_path):
    load(home, CLICKS, clicks(tmp_path, ["-9223372036854775808,1,9223372036854775807,1507000000000"]))
    assert ask(home, "select reader_id, article_id from source.reading_events") == [(-(2**63), 2**63 - 1)]
