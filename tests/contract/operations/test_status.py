"""Which verdict `status` shows: that of the last run that counts, and apart from it those that changed nothing."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.core.references import Reference
from include.core.run import Run
from include.operations.status import gather, render_status
from include.pipeline.run import keep_verdict, recorded
from tests.worlds.evidence import DOUBTS, evidence
from tests.worlds.evidence import judge as conclude
from tests.worlds.reigns import ask_for, crown

NIGHT = datetime(2026, 11, 30, 3, tzinfo=UTC)
DAY = timedelta(days=1)
GAPS = [{"name": "all readers", "mean": 0.01, "low": math.nan}]
SOUND, WEAK, DOUBTFUL = conclude(), conclude(ours={"full_list_share": 0.5}), conclude(**DOUBTS["RT106"][1])


@pytest.fixture
def settings(fresh_warehouse):
    return fresh_warehouse


def judged(settings, verdict, version, as_of=NIGHT, kind="scheduled", actor="schedule", mode="enforce", **about):
    """A verdict, kept by a run that was recorded as every run is."""
    name = f"{as_of:%d}-v{version}-{kind}-{mode}"
    may_go_live = kind not in ("backfill", "replay")
    run = Run(settings, f"retrain/{kind}__{name}", as_of, actor, about.get("reason", ""), mode, kind, {}, may_go_live)

    def judge(run):
        facts = {"decision": verdict.decision, "challenger_version": version, "champion_version": 1, "champion_seq": 1}
        facts["rival"] = "Judged against v1, champion since 2026-11-28 03:09 UTC."
        keep_verdict(run, name, facts, verdict.checks, evidence().means, GAPS, is_of_record=run.may_promote)
        return Reference("verdict", name, "", as_of, "f", (), facts)

    recorded(judge)(run)
    return name


def status(settings):
    found = gather(settings, {})
    return json.loads(json.dumps(found, default=str)), render_status(found, NIGHT).splitlines()


def test_a_verdict_keeps_the_differences_that_its_page_draws_and_what_is_unknown_as_null(settings):
    judged(settings, SOUND, 2)
    kept = [{"name": "all readers", "mean": 0.01, "low": None}]
    assert ask_for(settings, "select differences from ops.verdicts") == [(kept,)]


def test_the_verdict_is_that_of_the_last_night_and_not_of_what_was_tried_since(settings):
    judged(settings, SOUND, 3, NIGHT - DAY)
    judged(settings, WEAK, 4)
    judged(settings, SOUND, 5, kind="manual", actor="ada", mode="dry_run", reason="newcomer tries a dry run")
    judged(settings, DOUBTFUL, 2, NIGHT - 5 * DAY, kind="backfill", actor="ben")
    data, lines = status(settings)
    assert data["verdict"]["verdict_id"] == "30-v4-scheduled-enforce"
    assert "checks" not in data["verdict"]
    start = next(i for i, line in enumerate(lines) if line.startswith("verdict "))
    assert lines[start : start + 4] == [
        "verdict       v4 as of 2026-11-30 03:00 UTC, scheduled run: Kept v1: only 50 % of the lists are full; at "
        "least 99 % must be. [RT103]",
        "              run retrain/scheduled__30-v4-scheduled-enforce",
        "              Judged against v1, champion since 2026-11-28 03:09 UTC.",
        "              NDCG@10 challenger 0.300, champion 0.200, most_read 0.100, most_read_in_favourites 0.100",
    ]
    apart = [line for line in lines if line.startswith("not counted")]
    assert [line.split(": ")[0] for line in apart] == [
        "not counted   v2 as of 2026-11-25 03:00 UTC, backfill by ben",
        "not counted   v5 as of 2026-11-30 03:00 UTC, manual run, dry run by ada",
    ]
    assert ": Would have needed a decision: " in apart[0]
    assert ": Would have promoted v5: " in apart[1]
    assert data["other_verdicts"][1]["reason"] == "newcomer tries a dry run"
    assert data["links"]["verdict"].endswith("/verdicts/30-v4-scheduled-enforce.html")
    assert not any(line.startswith("question") for line in lines)


def test_the_reason_and_the_person_of_a_manual_run_are_shown(settings):
    judged(settings, WEAK, 4, kind="manual", actor="ada", reason="the election")
    _, lines = status(settings)
    assert any(
        line.startswith("verdict       v4 as of 2026-11-30 03:00 UTC, manual run by ada: Kept") for line in lines
    )
    assert "              run retrain/manual__30-v4-manual-enforce: the election" in lines


def test_before_the_first_run_that_counts_the_others_are_shown_as_such(settings):
    judged(settings, SOUND, 1, kind="backfill", actor="ada")
    data, lines = status(settings)
    assert data["verdict"] is None
    assert "verdict" not in data["links"]
    assert [line[:14] for line in lines if "v1 as of" in line] == ["not counted   "]


def test_a_later_day_counts_more_than_an_older_day_that_is_judged_again(settings):
    judged(settings, WEAK, 4)
    judged(settings, SOUND, 9, NIGHT - 5 * DAY)
    assert status(settings)[0]["verdict"]["challenger_version"] == 4


def test_a_backfill_that_was_promoted_counts(settings):
    judged(settings, WEAK, 4, NIGHT - DAY)
    crown(settings, 5, NIGHT, verdict_id=judged(settings, SOUND, 5, kind="backfill", actor="ada"))
    data, lines = status(settings)
    assert data["verdict"]["challenger_version"] == 5
    assert any("v5 as of 2026-11-30 03:00 UTC, backfill by ada: Promoted v5: " in line for line in lines)
    assert data["other_verdicts"] == []


def test_a_promotion_that_was_refused_is_not_called_one(settings):
    judged(settings, SOUND, 4)
    assert status(settings)[0]["verdict"]["sentence"].startswith("Would have promoted v4: ")


def test_after_an_answer_the_verdict_says_what_a_person_decided(settings):
    name = judged(settings, DOUBTFUL, 4)
    assert status(settings)[0]["verdict"]["sentence"].startswith("Needs a decision: ")
    with connect(settings) as warehouse:
        warehouse.execute("insert into ops.answers values (%s, 'keep', 'ada', %s, '')", [name, NIGHT])
    assert status(settings)[0]["verdict"]["sentence"].endswith(" [RT106] Kept by ada.")


def test_a_verdict_of_an_earlier_release_is_shown_by_its_decision(settings):
    judged(settings, SOUND, 4)
    ask_for(settings, "update ops.verdicts set checks = '[]', decision = 'ask' returning 1")
    ask_for(settings, "delete from ops.runs returning 1")  # retention removes runs, but no verdict
    _, lines = status(settings)
    assert "verdict       v4 as of 2026-11-30 03:00 UTC, run: Ask, by the checks of its release." in lines
