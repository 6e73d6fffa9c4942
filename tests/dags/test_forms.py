"""The forms refuse what a run could not work with, before it starts."""

from __future__ import annotations

import pytest

GOOD = {
    "as_of": [None, "", "2026-11-20", "2026-11-20T03:00:00Z", "2026-11-20T03:00:00.123+01:00", "2026-11-20T03:00"],
    "wait_minutes": [None, 0, 240],
    "window_days": [None, 2, 90],
    "model": [None, "two_stage", "most_read"],
    "trials": [2, 500],
    "minutes": [1, 170],
    "mode": [None, "enforce", "dry_run", "off"],
    "to": [None, 1, 17],
    "why": ["its lists were old"],
    "snapshot": [None, "", "20250309T000000Z-0123456789ab"],
    "table": [None, "articles"],
    "code": [None, "", "ART103"],
    "dry_run": [True, False],
    "retrain": [True, False],
    "publish_backfill": [True, False],
    "reason": [None, "", "the publisher corrected Tuesday"],
}
BAD = {
    "as_of": ["yesterday", "20.11.2026", "2026-11-20T", 20261120],
    "wait_minutes": [-1, 241, "60", 1.5],
    "window_days": [0, 1, 91, "7", 2.5],
    "model": ["best", ""],
    "trials": [None, 1, 501, "20"],
    "minutes": [None, 0, 171, 1.5],
    "mode": ["maybe", ""],
    "to": [0, "1"],
    "why": [None, "", "x" * 501],
    "snapshot": ["newest", "20250309T000000Z", 7],
    "table": ["news", ""],
    "code": ["ART103,ART104", "art103", 103],
    "dry_run": ["yes", None],
    "retrain": ["yes", None],
    "publish_backfill": ["yes", None],
    "reason": [7, "x" * 501],
}
FIELDS = {
    "retrain": ["as_of", "wait_minutes", "window_days", "model", "mode", "publish_backfill", "reason"],
    "recommend": ["as_of", "publish_backfill", "reason"],
    "rollback": ["to", "why"],
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
        assert dags[dag_id].params["publish_backfill"] is False
