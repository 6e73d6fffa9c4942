"""The forms refuse what a run could not work with, before it starts."""

from __future__ import annotations

import pytest

from include.core.errors import FormRefused
from tests.dags.contexts import FIELDS as RETRAIN
from tests.dags.contexts import TICK, context

GOOD = {
    "as_of": [None, "", "2026-11-20", "2026-11-20T03:00:00Z", "2026-11-20T03:00:00.123+01:00", "2026-11-20T03:00"],
    "wait_minutes": [None, 0, 240],
    "window_days": [None, 2, 90],
    "model": [None, "two_stage", "most_read"],
    "name": ["bad-data", "crash"],
    "trials": [2, 500],
    "minutes": [1, 170],
    "mode": [None, "data", "features", "off", "dry_run", "enforce"],
    "to": [None, 1, 17],
    "action": ["freeze", "unfreeze", "pin", "unpin"],
    "hours": [0.5, 24, 8784],
    "why": ["its lists were old"],
    "snapshot": [None, "", "20250309T000000Z-0123456789ab"],
    "table": [None, "articles"],
    "code": [None, "", "ART103"],
    "dry_run": [True, False],
    "retrain": [True, False],
    "confirm": ["publish", "", None],
    "train_once": [True, False],
    "chained": [True, False],
    "article_id": [0, 4711, -3],
    "lift": [True, False],
    "reason": [None, "", "the publisher corrected Tuesday"],
}
BAD = {
    "as_of": ["yesterday", "20.11.2026", "2026-11-20T", 20261120],
    "wait_minutes": [-1, 241, "60", 1.5],
    "window_days": [0, 1, 91, "7", 2.5],
    "model": ["best", ""],
    "name": [None, "", "flood"],
    "trials": [None, 1, 501, "20"],
    "minutes": [None, 0, 171, 1.5],
    "mode": ["maybe", ""],
    "to": [0, "1"],
    "action": [None, "thaw"],
    "hours": [None, 0, 8785, "24"],
    "why": [None, "", "x" * 501],
    "snapshot": ["newest", "20250309T000000Z", 7],
    "table": ["news", ""],
    "code": ["ART103,ART104", "art103", 103],
    "dry_run": ["yes", None],
    "retrain": ["yes", None],
    "confirm": ["yes", "Publish", "publish it", True],
    "train_once": ["yes", None],
    "chained": ["yes", None],
    "article_id": [None, "4711", 1.5, ""],
    "lift": ["yes", None],
    "reason": [7, "x" * 501],
}
FIELDS = {
    "retrain": list(RETRAIN),
    "recommend": ["as_of", "confirm", "reason"],
    "monitor": ["reason"],
    "rollback": ["to", "why"],
    "hold": ["action", "hours", "why"],
    "takedown": ["article_id", "lift", "why"],
    "rehearse": ["name"],
    "maintain": ["dry_run"],
    "tune": ["as_of", "model", "trials", "minutes", "reason"],
    "replay_quarantine": ["snapshot", "table", "code", "dry_run", "retrain", "reason"],
}
CASES = [(dag_id, name) for dag_id, names in FIELDS.items() for name in names]


def test_the_fields_are_exactly_these(dags):
    assert {(dag_id, name) for dag_id, dag in dags.items() for name in dag.params} == set(CASES)


@pytest.mark.parametrize(("dag_id", "name"), CASES)
def test_a_field_takes_what_it_should(dags, dag_id, name):
    field = dags[dag_id].params.get_param(name)
    for value in GOOD[name]:
        assert field.resolve(value) == value


@pytest.mark.parametrize(("dag_id", "name"), CASES)
def test_a_field_refuses_the_rest(dags, dag_id, name):
    from airflow.sdk.exceptions import ParamValidationError

    field = dags[dag_id].params.get_param(name)
    for value in BAD[name]:
        with pytest.raises(ParamValidationError):
            field.resolve(value)


@pytest.mark.parametrize(("dag_id", "name"), CASES)
def test_a_field_says_what_it_is_for(dags, dag_id, name):
    assert dags[dag_id].params.get_param(name).description


def test_every_moment_the_form_takes_can_be_read():
    from include.core.clock import parse_moment

    for value in filter(None, GOOD["as_of"]):
        assert parse_moment(value).utcoffset() is not None


def test_the_form_offers_every_model_there_is(dags):
    from include.models import MODELS

    offered = dags["retrain"].params.get_param("model").schema["enum"]
    assert offered == [None, *MODELS]


def test_by_default_a_backfill_changes_nothing_readers_see(dags):
    for dag_id in ("retrain", "recommend"):
        assert dags[dag_id].params["confirm"] is None


@pytest.mark.parametrize("dag_id", ["retrain", "recommend", "maintain", "monitor", "approve", "newsroom", "rollback"])
@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_a_field_that_the_dag_does_not_have_is_refused_by_name(dags, dag_id, run_type):
    from daybreak_airflow.runs import refuse_form

    fields = list(dags[dag_id].params)
    run = context(run_type, interval_end=TICK, known=fields, dryrun=True, **dict.fromkeys(fields[:1]))
    with pytest.raises(FormRefused, match="has no field dryrun") as refused:
        refuse_form(run)
    assert all(name in refused.value.hint for name in fields)


def test_every_task_of_every_dag_looks_at_the_form_before_it_does_anything(dags):
    from daybreak_airflow.logs import begin

    for dag_id, dag in dags.items():
        for task in dag.tasks:
            assert task._pre_execute_hook is begin, f"{dag_id}.{task.task_id}"
    with pytest.raises(FormRefused, match="has no field dryrun"):
        begin(context("manual", dryrun=True))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (context("manual", as_of="2026-11-20T13:00:00Z"), "2026-11-20 13:00 UTC is in the future"),
        (context("manual", as_of="2026-13-45"), "'2026-13-45' is not a date"),
        (context("backfill", interval_end=TICK, as_of="2026-11-01"), "of the same moment"),
    ],
    ids=["in the future", "no date of any calendar", "in a backfill"],
)
def test_a_moment_that_no_run_can_have_is_refused(run, said):
    from daybreak_airflow.runs import refuse_form

    with pytest.raises(FormRefused, match=said):
        refuse_form(run)


@pytest.mark.parametrize("run", [context("scheduled", interval_end=TICK), context("manual", as_of="2026-11-20")])
def test_a_form_that_a_run_can_work_with_is_taken(run):
    from daybreak_airflow.runs import refuse_form

    refuse_form(run)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"mode": "enforce"}, "in mode enforce promotes, and that is not confirmed"),
        ({"mode": "enforce", "confirm": ""}, "is not confirmed"),
        ({"confirm": "publish"}, "its mode promotes nothing"),
        ({"mode": "dry_run", "confirm": "publish"}, "its mode promotes nothing"),
    ],
)
def test_a_backfill_that_promotes_says_so_twice_or_is_refused(form, said):
    from daybreak_airflow.runs import refuse_form

    with pytest.raises(FormRefused, match=said):
        refuse_form(context("backfill", interval_end=TICK, **form))
    refuse_form(context("manual", **form))  # only a backfill needs the word
    refuse_form(context("backfill", interval_end=TICK, mode="enforce", confirm="publish"))
    refuse_form(context("backfill", interval_end=TICK, known=("as_of", "confirm"), confirm="publish"))  # of recommend


def test_every_mode_of_the_form_is_explained_beside_its_name(dags):
    from include.pipeline.decide import REACHES

    shown = dags["retrain"].params.get_param("mode").schema["values_display"]
    assert {name: words for name, words in shown.items() if name != "null"} == REACHES
    assert shown["null"] == "the setting; in a backfill: training and verdict; promotes nothing"


def test_a_refused_form_is_not_tried_again():
    from daybreak_airflow.defaults import PATIENCE

    assert PATIENCE.evaluate(FormRefused("No.", hint="look."), try_number=1, max_tries=2).action.value == "fail"
