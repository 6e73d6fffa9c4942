"""An article that a person takes down is out of every list at once and stays out, on a real PostgreSQL."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pyarrow.parquet as pq
import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.errors import ServiceError
from include.core.run import Run
from include.operations import status
from include.operations.status_page import facts
from include.pipeline import taking_down
from tests.parts import cli
from tests.parts.servers import write_env_file
from tests.worlds import reigns, tiny

HOUR = timedelta(hours=1)
WHY = "retracted by the publisher"


@pytest.fixture
def settings(fresh_warehouse):
    return fresh_warehouse


def ask(settings, text, *values, role="daybreak_run"):
    with connect(settings, role) as warehouse:
        return warehouse.execute(text, values).fetchall()


def shown(settings, reader=1):
    """What whoever serves lists sees."""
    rows = ask(
        settings, "select article_id from recs.current where reader_id = %s order by rank", reader, role="daybreak_api"
    )
    return [article for (article,) in rows]


def make_lists(settings, features, as_of=tiny.AS_OF):
    """What `recommend` publishes from these features."""
    run = Run(settings, f"recommend/{as_of:%H}", as_of, "tests")
    return pipeline.publish(run, pipeline.audit(run, pipeline.write_batch(run, pipeline.score(run, features))))


def most_listed(settings):
    ((article, readers),) = ask(
        settings, "select article_id, count(*) from recs.current group by 1 order by 2 desc, 1 limit 1"
    )
    return article, readers


def test_it_is_out_of_every_list_at_once_and_the_next_lists_are_full_without_it(settings, scoring_features):
    before = make_lists(settings, scoring_features)
    article, readers = most_listed(settings)
    assert readers > 1
    is_new, sentence = taking_down.remove(settings, "ada", article, WHY)
    assert (is_new, sentence) == (
        True,
        f"Article {article} is out of {readers} lists. Lists are made without it from now on.",
    )
    assert ask(settings, "select count(*) from recs.current where article_id = %s", article) == [(0,)]
    after = make_lists(settings, scoring_features)
    assert (after.facts["changed"], after.id != before.id) == (True, True)
    counts = "select count(distinct reader_id), count(*), count(*) filter (where article_id = %s) from recs.current"
    assert ask(settings, counts, article) == [(244, 2440, 0)]
    kept = pq.read_table(f"{after.uri}/lists.parquet")["article_id"].to_pylist()
    assert (len(kept), article in kept) == (2440, False)


def test_lists_that_were_made_before_and_go_live_after_do_not_show_it(settings):
    reigns.publish(settings, 1, tiny.AS_OF, goes_live=False)
    assert taking_down.remove(settings, "ada", 101, WHY)[1].startswith("Article 101 was in no list.")
    assert reigns.publish(settings, 1, tiny.AS_OF)
    assert (shown(settings, 1), shown(settings, 2)) == ([102], [102])


def test_a_rollback_does_not_bring_it_back(settings):
    reigns.publish(settings, 1, tiny.AS_OF - HOUR)
    reigns.publish(settings, 2, tiny.AS_OF)
    taking_down.remove(settings, "ada", 102, WHY)
    assert shown(settings) == [201, 202]
    reigns.publish(settings, 1, tiny.AS_OF - HOUR)
    assert shown(settings) == [101]


def test_lifted_it_may_be_listed_again_and_both_are_on_record(settings):
    reigns.publish(settings, 1, tiny.AS_OF)
    taking_down.remove(settings, "ada", 101, WHY)
    assert taking_down.lift(settings, "bob", 101, "a mistake") == (True, "Lists may show article 101 again.")
    assert shown(settings) == [101, 102]
    assert taking_down.lift(settings, "bob", 101, "again") == (False, "Article 101 was not taken down.")
    assert ask(settings, "select actor, action, detail ->> 'reason' from ops.audit order by at") == [
        ("ada", "take down", WHY),
        ("bob", "lift takedown", "a mistake"),
    ]
    assert ask(settings, "select actor, lifted_by from ops.takedowns") == [("ada", "bob")]
    assert taking_down.remove(settings, "ada", 101, WHY)[0], "after it was lifted, it can be taken down again"


def test_of_several_at_once_one_counts(settings):
    reigns.publish(settings, 1, tiny.AS_OF)
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda name: taking_down.remove(settings, name, 101, WHY)[0], "abcdef"))
    assert done.count(True) == 1
    assert ask(settings, "select count(*) from ops.audit") == [(1,)]


def test_a_takedown_that_is_killed_between_its_writes_changes_nothing(settings):
    reigns.publish(settings, 1, tiny.AS_OF)
    with connect(settings, "postgres") as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("lock table ops.audit in exclusive mode")
        takedown = pool.submit(taking_down.remove, settings, "ada", 101, WHY)
        waits = "select pid from pg_locks where relation = 'ops.audit'::regclass and not granted"
        end = time.monotonic() + 30
        while (row := holder.execute(waits).fetchone()) is None:
            assert time.monotonic() < end, "it never came to its second write"
            time.sleep(0.05)
        holder.execute("select pg_terminate_backend(%s, 5000)", row)
        with pytest.raises(ServiceError, match="closed the connection"):
            takedown.result(30)
    assert shown(settings) == [101, 102]
    assert taking_down.remove(settings, "ada", 101, WHY)[0]


def test_a_run_that_is_cleared_takes_it_down_once(settings):
    run = Run(settings, "takedown/1", tiny.AS_OF, "ada")
    first, again = (pipeline.take_down(run, 7, WHY, False) for _ in range(2))
    assert (first.facts["changed"], again.facts["changed"]) == (True, False)
    assert again.facts["sentence"] == "Article 7 was taken down already, and is in no list."
    assert pipeline.take_down(run, 7, WHY, True).facts["changed"]


def test_whoever_serves_lists_may_not_see_who_took_what_down(settings):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(settings, "select * from ops.takedowns", role="daybreak_api")


def test_the_command_takes_down_lists_and_lifts(settings):
    write_env_file(settings)
    reigns.publish(settings, 1, tiny.AS_OF)
    assert cli.say(settings, "takedown").out == "No article is taken down.\n"
    told = cli.say(settings, "takedown", "101", "--reason", WHY).out
    assert told.startswith("Article 101 is out of 2 lists. Lists are made without it from now on. ")
    assert "run `bin/daybreak recommend`" in told
    assert shown(settings) == [102]
    (listed,) = json.loads(cli.say(settings, "takedown", "--json").out)["takedowns"]
    assert (listed["article_id"], listed["reason"]) == (101, WHY)
    assert WHY in cli.say(settings, "takedown").out
    assert cli.say(settings, "takedown", "101", "--reason", WHY).out.startswith("Article 101 was taken down already")
    lifted = cli.say(settings, "takedown", "101", "--lift", "--reason", "a mistake").out
    assert lifted.startswith("Lists may show article 101 again. The lists are without it until `recommend`")
    assert shown(settings) == [101, 102]


@pytest.mark.parametrize(
    ("words", "fault"),
    [(["101"], "A takedown needs a reason."), (["the one on page 3", "--reason", "x"], "There is no article")],
)
def test_what_is_missing_or_unknown_is_named(settings, words, fault):
    write_env_file(settings)
    said = cli.say(settings, "takedown", *words)
    assert (said.code != 0, fault in said.err) == (True, True)


def test_status_and_the_articles_page_tell_who_took_it_down_and_why(settings, scoring_features):
    tiny.publish(settings, {name: table.slice(0, 20) for name, table in tiny.tiny().items()})
    make_lists(settings, scoring_features)
    article, _ = most_listed(settings)
    taking_down.remove(settings, "ada", article, WHY)
    found = status.gather(settings, {})
    assert [one.endswith(f"by ada: {WHY}.") for one in found["takedowns"]] == [True]
    assert f"taken down    Article {article} was taken down at" in status.render_status(found, found["moment"])
    page = facts.find_article(settings, str(article))
    assert (page.takedown.actor, page.places) == ("ada", [])
