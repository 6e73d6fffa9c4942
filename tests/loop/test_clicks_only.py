"""A log of clicks alone goes through the whole loop: no titles, no categories, nothing shown, no reading times."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include.adapters import feast_store
from include.adapters.warehouse import connect
from tests.parts import cli, servers

AS_OF = datetime(2017, 10, 10, tzinfo=UTC)
READERS, DAYS, SLOT = 120, 5, timedelta(hours=3)
MAPPING = """
events:
  files: "*.csv"
  columns:
    reader_id: user_id
    article_id: click_article_id
    kind: {constant: click}
    occurred_at: {column: click_timestamp, unit: ms}
"""


def clicks():
    """(reader, article, ms): four groups of readers, six clicks a day each; every article is one group's."""
    random = np.random.default_rng(3)
    for reader in range(READERS):
        for seconds in random.integers(0, DAYS * 86_400, DAYS * 6).tolist():
            at = AS_OF - timedelta(seconds=seconds + 1)
            slot = (at - (AS_OF - timedelta(days=DAYS + 1))) // SLOT - int(random.integers(0, 4))
            article = 10_000 + 12 * slot + reader % 4 * 3 + int(random.integers(0, 3))
            yield reader, article, int(at.timestamp() * 1000)


@pytest.fixture(scope="module")
def said(pristine, tmp_path_factory):
    """What `load`, `retrain`, `recommend`, `monitor` and `show` said, and the settings of the installation."""
    home = tmp_path_factory.mktemp("clicks")
    ports = {"postgres_port": servers.free_port(), "mlflow_port": servers.free_port()}
    settings = pristine.model_copy(update={"home": home, **ports})
    servers.write_env_file(settings)
    with (home / "clicks.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("user_id", "click_article_id", "click_timestamp"), *clicks()])
    (home / "mapping.yaml").write_text(MAPPING)
    with servers.postgres(settings, template=pristine.home / "postgres"), servers.mlflow(settings):
        feast_store.apply_shared(settings)
        answers = {"load": cli.say(settings, "load", str(home / "clicks.csv"), "--mapping", str(home / "mapping.yaml"))}
        for word in ("retrain", "recommend", "monitor"):
            answers[word] = cli.say(settings, word, "--as-of", AS_OF.isoformat())
        answers["show"] = cli.say(settings, "show", "1")
        yield answers, settings


def ask(said, text, role="daybreak_run"):
    with connect(said[1], role) as database:
        return database.execute(text).fetchall()


def test_every_word_ends_well(said):
    assert {word: answer.code for word, answer in said[0].items()} == dict.fromkeys(said[0], 0), said[0]


def test_the_first_challenger_is_promoted_and_each_click_is_one_unit_of_its_quality(said):
    assert said[0]["retrain"].out.startswith("Promoted v1: NDCG@10 ")


def test_clicks_count_as_reads_where_there_are_no_reads(said):
    """Else every reader looks like one who never comes."""
    (stats,) = said[1].home.glob("features/*-training-*/reader_activity")
    assert pc.sum(pq.read_table(stats, columns=["read_count"])["read_count"]).as_py() > 1000


def test_clicks_count_for_articles_too(said):
    """Else nothing is read by many, and most_read lists what is newest."""
    (stats,) = said[1].home.glob("features/*-training-*/article_stats")
    assert pc.sum(pq.read_table(stats, columns=["read_count_6h"])["read_count_6h"]).as_py() > 1000


def test_every_reader_gets_ten_live_unread_articles(said):
    counted = ask(said, "select reader_id, count(distinct article_id) from recs.current group by reader_id")
    assert sorted(counted) == [
        (reader, 10) for (reader,) in sorted(ask(said, "select reader_id from source.subscribers", "newsroom"))
    ]
    listed = set(ask(said, "select reader_id, article_id from recs.current"))
    old = "select article_id from source.articles where published_at < '2017-10-10Z'::timestamptz - interval '24 hours'"
    assert not {article for _, article in listed} & {article for (article,) in ask(said, old, "newsroom")}
    assert not listed & set(ask(said, "select reader_id, article_id from source.reading_events", "newsroom"))


def test_best_places_go_to_what_the_readers_group_reads(said):
    rows = ask(said, "select reader_id, article_id from recs.current where rank <= 3")
    own = [(article - 10_000) % 12 // 3 == reader % 4 for reader, article in rows]
    assert sum(own) / len(own) > 0.7


def test_reasons_and_titles_say_what_is_known_and_name_no_null(said):
    reasons = {reason for (reason,) in ask(said, "select distinct reason from recs.current")}
    assert "Read by those who read what you read" in reasons
    assert not any("null" in reason.lower() or "none" in reason.lower() or "time on" in reason for reason in reasons)
    assert "article 1" in said[0]["show"].out
    assert "None" not in said[0]["show"].out


def test_monitor_compares_clicks_with_clicks_by_what_the_log_has(said):
    assert "Nothing moved: all " in said[0]["monitor"].out


def test_no_check_of_a_stage_blocks_or_warns_of_what_such_a_log_cannot_have(said):
    assert ask(said, "select stage, code, subject, sentence from ops.checks where outcome = 'failed'") == []
