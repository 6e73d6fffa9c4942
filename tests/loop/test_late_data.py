"""Late and corrected data from end to end: what is only noted, what is trained again, and that this settles it.

The planted world without one of its days. Then a few rows come two days late, the publisher corrects a tenth of a day,
and the missing day arrives whole, long after the run that waited for it.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from include import pipeline
from include.adapters import feast_store
from include.adapters.warehouse import connect
from include.core.run import Run
from include.operations.gaps import find_gaps
from tests.contract.data.test_snapshot import add_events, edit
from tests.parts import cli, servers
from tests.worlds import tiny

pytestmark = pytest.mark.timeout(1800)  # two trainings, on a machine that may do much else
AS_OF, DAY, HOUR = tiny.AS_OF, timedelta(days=1), timedelta(hours=1)
MISSING, CORRECTED = AS_OF - 4 * DAY, AS_OF - 2 * DAY
LATER = AS_OF + 6 * HOUR
OF_DAY = "occurred_at >= %s and occurred_at < %s"


@pytest.fixture(scope="module")
def told(pristine, tmp_path_factory):
    """What each step said, and the settings of the installation."""
    home = tmp_path_factory.mktemp("late")
    ports = {"postgres_port": servers.free_port(), "mlflow_port": servers.free_port()}
    settings = pristine.model_copy(update={"home": home, **ports})
    servers.write_env_file(settings)
    said = {}
    with servers.postgres(settings, template=pristine.home / "postgres"), servers.mlflow(settings):
        feast_store.apply_shared(settings)
        tiny.publish(settings, tiny.tiny())
        edit(
            settings,
            f"create table newsroom.held as select * from newsroom.reading_events where {OF_DAY}",
            *of(MISSING),
        )
        edit(settings, f"delete from newsroom.reading_events where {OF_DAY}", *of(MISSING))
        said["first"] = train(settings, AS_OF)
        crown(settings)

        few = [{"event_id": 810_000 + n, "occurred_at": AS_OF - 2 * DAY, "ingested_at": AS_OF + HOUR} for n in range(5)]
        add_events(settings, *few)
        said["few"] = look(settings, AS_OF + 2 * HOUR)
        change = f"update newsroom.reading_events set position = 99 where {OF_DAY} and event_id %% 10 = 0"
        edit(settings, change, *of(CORRECTED))
        said["corrected"] = look(settings, AS_OF + 3 * HOUR)
        edit(settings, "update newsroom.held set ingested_at = %s", AS_OF + 4 * HOUR)
        edit(settings, "insert into newsroom.reading_events select * from newsroom.held")
        said["day"] = look(settings, AS_OF + 5 * HOUR)
        said["request"] = [cli.say(settings, "monitor", "--as-of", LATER.isoformat()).out for _ in range(2)]

        said["second"] = train(settings, LATER)
        said["again"] = look(settings, LATER)
        yield said, settings


def of(day):
    return day, day + DAY


def train(settings, moment):
    """A version of the plainest model, and the facts of its extract."""
    answer = cli.say(settings, "retrain", "--as-of", moment.isoformat(), "--model", "most_read", "--mode", "off")
    assert answer.code == 0, answer.err
    return cli.references(settings, cli.last_run(settings, "retrain"))["extract"]["facts"]


def crown(settings):
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into ops.champions (seq, version, action, why, actor, run_id, snapshot_id)"
            " select 1, version, 'promote', 'w', 'test', 'r', snapshot_id from ops.models"
        )


def look(settings, moment):
    """What a run of that moment found late, and the gaps after it."""
    facts = pipeline.extract(Run(settings, f"look {moment:%H}", moment, "tests"), settings.window_days).facts
    return facts["late"], [gap for gap in find_gaps(settings, moment, 14) if gap.kind == "outdated"]


def ask(settings, text):
    with connect(settings) as database:
        return database.execute(text).fetchall()


def test_a_missing_day_is_told_and_does_not_stop_the_training(told):
    said, _ = told
    assert said["first"]["missing_days"] == ["2025-03-05"]
    assert said["second"]["missing_days"] == []


def test_a_few_rows_two_days_late_are_only_noted(told):
    sentence, gaps = told[0]["few"]
    assert sentence.startswith("For days v1 learnt from, ")
    assert sentence.endswith("a retrain needs 2 %.")
    assert gaps == []


def test_a_tenth_of_a_day_corrected_is_a_reason_to_train_again(told):
    sentence, gaps = told[0]["corrected"]
    assert "were corrected: " in sentence
    assert sentence.endswith("enough for a retrain (limit 2 %).")
    assert [(gap.dag_id, gap.command) for gap in gaps] == [
        ("retrain", 'bin/daybreak retrain --reason "late data for v1"')
    ]


def test_a_day_that_arrives_whole_after_its_deadline_is_late_as_a_whole(told):
    said, settings = told
    with connect(settings, "newsroom") as newsroom:
        (held,) = newsroom.execute("select count(*) from newsroom.held").fetchone()
    before, after = (
        ask(settings, f"select late_count from ops.late_rows where as_of = '{AS_OF + hours * HOUR}'")[0][0]
        for hours in (3, 5)
    )
    assert after - before >= held > 1000
    assert [gap.sentence for gap in said["day"][1]] == [said["day"][0]]


def test_monitor_requests_the_retrain_once_however_often_it_looks(told):
    said, settings = told
    assert all("A retrain is requested. For days v1 learnt from, " in answer for answer in said["request"])
    assert ask(settings, "select window_end from ops.retrain_requests") == [(LATER,)]


def test_after_the_retrain_a_second_look_finds_nothing_new(told):
    sentence, gaps = told[0]["again"]
    assert sentence.startswith("For days v2 learnt from, 0 events came late and 0 were corrected: 0 % of ")
    assert gaps == []
