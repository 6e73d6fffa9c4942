"""Logs in the formats in which open click logs are published: proposed, loaded as proposed, every row counted."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.adapters.warehouse import connect
from tests.contract.data.test_load import CLICKS, ask, clicks, good_rows, home, load
from tests.parts import cli

__all__ = ["home"]


def proposed(home, *files):
    answer = cli.say(home, "load", *map(str, files))
    assert answer.code == 0, answer.err
    return answer.out


def test_days_of_json_lines_without_a_suffix_tell_of_events_and_of_articles(home, tmp_path):
    """Adressa: a file per day named 20170101; who looks at the front page has no article, which is nothing wrong."""
    for day in (1, 2):
        rows = [
            {"eventId": 10 * day + n, "userId": f"cx:{n % 4}", "time": 1_483_225_200 + 86_400 * (day - 1) + n,
             **({"documentId": f"d{n % 3}", "title": f"Sak {n % 3}", "category1": "nyheter|trondheim",
                 "publishtime": "2016-12-31T22:00:00.000Z"} if n % 2 else {}),
             **({"activeTime": 30} if n % 4 == 1 else {}), "profile": [{"item": "a", "groups": []}]}
            for n in range(10)
        ]  # fmt: skip
        if day == 2:
            rows = [dict(reversed(row.items())) for row in rows]  # the order of keys says nothing
        (tmp_path / f"2017010{day}").write_text("\n".join(map(json.dumps, rows)) + "\n")
    mapping = proposed(home, tmp_path)
    assert "another format" not in mapping
    answer = load(home, mapping, tmp_path)
    assert answer.code == 0, answer.err
    assert "events    20 read from 2 files = 10 loaded + 0 already there + 10 left out + 0 rejected" in answer.out
    assert ask(home, "select kind, count(*) from source.reading_events group by 1 order by 1") == [
        ("click", 4),
        ("read", 6),
    ]
    assert ask(home, "select title, category, published_at from source.articles order by 1") == [
        (f"Sak {n}", "nyheter|trondheim", datetime(2016, 12, 31, 22, tzinfo=UTC)) for n in range(3)
    ]


def test_a_row_without_what_it_needs_is_refused_unless_the_mapping_leaves_it_out(home, tmp_path):
    rows = [*good_rows(8), "1,1,,1507000000000", ",1,100,1507000000000"]
    path = clicks(tmp_path, rows)
    assert load(home, CLICKS, path).code == 6
    lenient = CLICKS.replace("article_id: click_article_id", "article_id: {column: click_article_id, empty: skip}")
    answer = load(home, lenient, path, "--dry-run")
    assert answer.code == 6
    assert "1 of 10 events" in answer.err
    lenient = lenient.replace("reader_id: user_id", "reader_id: {column: user_id, empty: skip}")
    assert (
        "10 read from 1 file = 8 could be loaded + 2 left out + 0 rejected"
        in load(home, lenient, path, "--dry-run").out
    )


def test_impressions_and_titles_with_quotes_in_tables_without_a_head(home, tmp_path):
    """MIND: several articles in a cell, and news.tsv whose titles begin with a quote that is part of them."""
    titles = ['"Wheel" guest gives host a brutal "introduction"', "The brands queens swear by", '"I was scared"']
    (tmp_path / "news.tsv").write_text(
        "".join(
            f'N{n}\tlifestyle\troyals\t{title}\tShop what they wear.\thttps://x/{n}.html\t[{{"Label": "P"}}]\t[]\n'
            for n, title in enumerate(titles, 1)
        )
    )
    (tmp_path / "behaviors.tsv").write_text(
        "1\tU7\t11/15/2019 8:55:22 PM\tN9 N8\tN1-0 N2-1 N3-0\n2\tU8\t11/15/2019 9:55:22 AM\t\tN1-1\n"
    )
    answer = load(home, proposed(home, tmp_path), tmp_path)
    assert answer.code == 0, answer.err
    assert "articles  3 read from 1 file = 3 loaded" in answer.out
    assert ask(home, "select kind, count(*) from source.reading_events group by 1 order by 1") == [
        ("click", 2),
        ("impression", 4),
    ]
    found = ask(home, "select title, category, summary from source.articles where title not like 'Article %%'")
    assert {title for title, _, _ in found} == set(titles)
    assert {rest for _, *both in found for rest in both} == {"lifestyle", "Shop what they wear."}


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_list_of_articles_is_an_event_for_each(home, tmp_path, form):
    rows = [
        {"user_id": n, "impression_time": f"2023-05-2{n} 07:00:00", "article_ids_clicked": list(range(100, 100 + n))}
        for n in range(4)
    ]
    path = tmp_path / f"behaviors.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    answer = load(home, proposed(home, path), path)
    assert answer.code == 0, answer.err
    assert ask(home, "select reader_id, article_id from source.reading_events order by 1, 2") == [
        (n, 100 + m) for n in range(4) for m in range(n)
    ]


def test_rows_of_parquet_whose_article_is_empty_are_left_out_as_proposed(home, tmp_path):
    """EB-NeRD: a row of the front page has no article_id; the lists beside it are not used."""
    rows = [
        {"impression_id": n, "article_id": None if n % 2 else 9_000_000 + n, "read_time": 21.0,
         "impression_time": datetime(2023, 5, 21, n),  # noqa: DTZ001 as in the set, without a zone
         "article_ids_inview": [1, 2], "article_ids_clicked": [1], "user_id": n % 3, "session_id": n}
        for n in range(8)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "behaviors.parquet")
    answer = load(home, proposed(home, tmp_path / "behaviors.parquet"), tmp_path / "behaviors.parquet")
    assert "8 read from 1 file = 4 loaded + 0 already there + 4 left out + 0 rejected" in answer.out
    assert ask(home, "select distinct kind, dwell_seconds from source.reading_events") == [("read", 21.0)]


def test_times_counted_from_a_moment_of_their_own_need_that_moment(home, tmp_path):
    """Outbrain: milliseconds since 2016-06-14T03:59:59.998Z."""
    path = clicks(
        tmp_path, [f"u{n},{n % 3 + 100},{1000 * n}" for n in range(5)], "page_views.csv", "uuid,document_id,timestamp"
    )
    mapping = proposed(home, path)
    assert 'timestamp, unit: ms, since: "???"' in mapping
    answer = load(home, mapping, path)
    assert answer.code == 2
    assert "occurred_at.since is '???'; it needs a unit (s, ms) and an ISO time with its zone" in answer.err
    answer = load(home, mapping.replace("???", "2016-06-14T03:59:59.998Z"), path)
    assert answer.code == 0, answer.err
    assert ask(home, "select max(occurred_at) from source.reading_events")[0][0] == datetime(
        2016, 6, 14, 4, 0, 3, 998000, tzinfo=UTC
    )


def test_archives_are_read_to_the_files_in_them(home, tmp_path):
    """A download as it comes: an archive with a packed archive, and what nobody reads, in it."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.write(clicks(tmp_path, good_rows(20)), "clicks/clicks_1.csv")
        archive.writestr("__MACOSX/clicks/._clicks_1.csv", b"\x00\x05")
    for name in ("download.zip", "download.tar.gz"):
        if name.endswith("zip"):
            with zipfile.ZipFile(tmp_path / name, "w") as archive:
                archive.writestr("clicks.zip", inner.getvalue())
                archive.writestr("embeddings.pickle", b"\x80\x04")
        else:
            with tarfile.open(tmp_path / name, "w:gz") as archive:
                about = tarfile.TarInfo("deep/clicks.zip")
                about.size = len(inner.getvalue())
                archive.addfile(about, io.BytesIO(inner.getvalue()))
        answer = load(home, CLICKS, tmp_path / name, "--replace")
        assert "20 read from 1 file = 20 loaded" in answer.out, answer.err
    assert not list((home.home / "tmp").glob("*"))


def test_a_damaged_archive_and_a_file_of_no_known_kind_are_named(home, tmp_path):
    (tmp_path / "log.tar.gz").write_bytes(b"\x1f\x8b\x08\x00broken")
    answer = load(home, CLICKS, tmp_path / "log.tar.gz")
    assert (answer.code, "log.tar.gz cannot be unpacked" in answer.err) == (5, True)
    (tmp_path / "log.xyz").write_text("what is this\n")
    answer = cli.say(home, "load", str(tmp_path / "log.xyz"))
    assert (answer.code, "log.xyz: .xyz is not a known file type" in answer.err) == (2, True)


def test_files_that_differ_in_more_than_numbers_share_a_mapping(home, tmp_path):
    clicks(tmp_path, good_rows(5), "clicks_hour_000.csv")
    clicks(tmp_path, good_rows(5, first=5), "clicks_hour_001.csv")
    clicks(tmp_path, good_rows(5), "clicks_sample.csv")
    mapping = proposed(home, tmp_path)
    assert 'files: ["clicks_hour_*.csv", "clicks_sample.csv"]' in mapping
    assert "15 read from 3 files = 10 loaded" in load(home, mapping, tmp_path).out


def test_another_delimiter_is_seen_and_proposed(home, tmp_path):
    path = clicks(
        tmp_path, [row.replace(",", ";") for row in good_rows(5)], header="user_id;visit;click_article_id;time"
    )
    mapping = proposed(home, path)
    assert "delimiter: semicolon" in mapping
    assert "5 read from 1 file = 5 loaded" in load(home, mapping, path).out


def test_a_list_is_shown_with_the_ids_of_the_loaded_log(home, tmp_path):
    path = clicks(tmp_path, [f"u{n % 7},{n},N{n % 5},{1_507_000_000_000 + 1000 * n}" for n in range(20)])
    mapping = CLICKS.replace("user_id", "{column: user_id, type: text}")
    load(home, mapping.replace("click_article_id", "{column: click_article_id, type: text}"), path)
    names = dict(ask(home, "select name, id from loaded.names"))
    with connect(home, "postgres") as warehouse:
        warehouse.execute("create table recs.shown_part partition of recs.recommendations for values in ('shown')")
        warehouse.execute("insert into recs.batches values ('shown', now(), 1, 's', 'r', 2, 'audited')")
        warehouse.execute("insert into recs.live values (true, 'shown', 9)")
        for rank, article in enumerate(("N2", "N4"), 1):
            row = [names["u3"], rank, names[article]]
            warehouse.execute("insert into recs.recommendations values ('shown', %s, %s, %s, 1, 'why')", row)
    shown = cli.say(home, "show", "u3")
    assert [line.split()[:3] for line in shown.out.splitlines() if "article N" in line] == [
        ["1", "article", "N2"],
        ["2", "article", "N4"],
    ], shown.err
    assert cli.say(home, "show", str(names["u3"])).out.splitlines()[2:] == shown.out.splitlines()[2:]
    nobody = cli.say(home, "show", "u99")
    assert (nobody.code, "There is no reader 'u99'" in nobody.err) == (1, True)
