"""What the pages say about given facts, and how they draw and escape it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.core.settings import PROJECT
from include.lists.takedowns import Takedown
from include.operations.status_page.actions import ACTIONS
from include.operations.status_page.chart import HEIGHT, Change, draw
from include.operations.status_page.details import (
    PARTS,
    build_article_page,
    build_champions_page,
    build_reader_page,
    build_reports_page,
    build_run_page,
)
from include.operations.status_page.facts import ArticleFacts, Facts, ReaderFacts, RunFacts
from include.operations.status_page.overview import build_status_page
from include.operations.status_page.parts import Link, Places
from include.operations.status_page.render import render

NOW = datetime(2026, 11, 30, 16, 44, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLACES = Places("/daybreak", "")
LISTS = {
    "batch_id": "b1",
    "generated_at": NOW - 44 * timedelta(minutes=1),
    "model_version": 3,
    "baseline": None,
    "list_length": 10,
    "readers": 2999,
    "readers_with_ten": 2999,
    "is_stale": False,
}
CHAMPION = {
    "version": 3,
    "promoted_at": NOW - 2 * DAY,
    "run_id": "r",
    "snapshot_id": "s",
    "why": "Promoted v3: better.",
}
STATUS = {
    "champion": CHAMPION,
    "lists": LISTS,
    "verdict": None,
    "other_verdicts": [],
    "holds": [],
    "held": [],
    "takedowns": [],
    "questions": [],
    "incidents": [],
    "late_rows": None,
    "quarantined": [],
    "running": [],
    "failing": [],
    "next": [{"name": "retrain", "is_paused": False, "next_at": NOW + 10 * HOUR}],
    "gaps": [],
    "reports": {},
}
REIGN = {
    **{"seq": 1, "version": 3, "from_version": 2, "action": "promote", "since": NOW - 2 * DAY, "until": None},
    **{"actor": "schedule", "why": "Promoted v3: better.", "verdict_id": "v", "run_id": "r", "impressions": 1},
    **{"seconds_per_article": 4.25, "page": "verdicts/v.html"},
}
RUN = {
    **{"run_id": "retrain/scheduled__1", "name": "retrain", "how": "scheduled run", "as_of": NOW, "reason": ""},
    **{"started_at": NOW - HOUR, "ended_at": NOW, "state": "success", "outcome": "Promoted v3: better."},
}
SIZES = {"warehouse": 15_000_000, "files": 383_000_000, "free": 66_000_000_000}
CALM = Facts(NOW, STATUS, RUN, reigns=[REIGN], state=SIZES)


def page_on(facts=CALM, may_see_readers=True, may=(), **status):
    found = replace(facts, status={**facts.status, **status})
    return build_status_page(found, PLACES, may_see_readers=may_see_readers, may=may)


def card(page, title):
    (found,) = [one for one in page.cards if one.title.startswith(title)]
    return found


def lines(page, title):
    return {line.name: line.words for line in card(page, title).lines}


def test_when_nothing_is_wrong_the_answer_is_yes_and_says_what_readers_have():
    page = page_on()
    assert (page.tone, page.link, page.more) == ("good", None, ())
    assert page.lead == "Yes. 2,999 readers have lists by v3 of 2026-11-30 16:00 UTC, 44 min old."


FAILED = {**RUN, "state": "failed", "outcome": "Failed at extract: no column title.", "started_at": NOW}


@pytest.mark.parametrize(
    ("status", "tone", "lead"),
    [
        ({"trouble": "PostgreSQL refused."}, "bad", "No. PostgreSQL refused."),
        ({"lists": None}, "ask", "Not yet: no lists have been published."),
        (
            {"lists": {**LISTS, "is_stale": True, "generated_at": NOW - 5 * HOUR}},
            "bad",
            "No: Readers' lists are stale: they are 5 h old.",
        ),
        (
            {"failing": [FAILED]},
            "ask",
            "Yes, but retrain failed at 2026-11-30 16:44 UTC. Failed at extract: no column title.",
        ),
        ({"questions": ["v4-after-3"]}, "ask", "Yes, but verdict v4-after-3 needs an answer."),
        (
            {"next": [{"name": "recommend", "is_paused": True, "next_at": None}]},
            "ask",
            "Yes, but recommend is paused.",
        ),
        (
            {"lists": {**LISTS, "readers_with_ten": 2990}},
            "ask",
            "Yes, but 9 of 2,999 readers have fewer than 10 articles.",
        ),
    ],
)
def test_the_answer_names_the_worst(status, tone, lead):
    page = page_on(**status)
    assert (page.tone, page.lead) == (tone, lead)


INCIDENT = {
    **{"incident_id": 4, "severity": "page", "title": "source: recommend failed at extract: no column title."},
    **{"sentence": "#4 [page] source: no column title.", "is_quiet": False, "stopped": {"recommend": 3}},
    **{"opened_at": NOW - 3 * HOUR, "links": {"Run": "http://a/run", "Runbook": "http://a/daybreak/runbook/x"}},
}


def test_the_worst_comes_first_and_what_else_is_wrong_follows():
    page = page_on(questions=["v4"], failing=[FAILED], lists={**LISTS, "is_stale": True})
    assert page.lead == "No: Readers' lists are stale: they are 44 min old."
    assert [line.words for line in page.more] == [
        "retrain failed at 2026-11-30 16:44 UTC. Failed at extract: no column title.",
        "Verdict v4 needs an answer.",
    ]
    assert page.more[0].link.address == "/daybreak/runs/retrain/scheduled__1"


def test_an_open_incident_is_the_answer_in_place_of_the_runs_that_it_stopped():
    page = page_on(incidents=[INCIDENT], failing=[{**FAILED, "name": "recommend"}])
    assert page.lead == "No: source: recommend failed at extract: no column title. Open for 3 h."
    assert (page.more, page.link.words, page.link.address) == ([], "Runbook", "http://a/daybreak/runbook/x")
    found = card(page, "Open incidents")
    assert (found.lead, found.tone, found.lines[0].words) == ("1 is open.", "bad", INCIDENT["sentence"])
    ticket = page_on(incidents=[{**INCIDENT, "severity": "ticket", "links": {}}])
    assert (ticket.tone, ticket.link) == ("ask", None)


def test_an_incident_that_works_at_present_is_listed_and_no_trouble():
    page = page_on(incidents=[{**INCIDENT, "is_quiet": True}])
    assert page.tone == "good"
    assert card(page, "Open incidents").lead == "1 is open."


def test_before_the_first_lists_everything_else_that_is_wrong_follows():
    page = page_on(lists=None, incidents=[INCIDENT], failing=[FAILED])
    assert (page.lead, page.tone) == ("Not yet: no lists have been published.", "bad")
    assert [line.words.split(" failed")[0] for line in page.more] == ["source: recommend", "retrain"]


def test_a_paused_search_or_a_freeze_is_no_trouble_but_is_told():
    page = page_on(
        next=[{"name": "tune", "is_paused": True, "next_at": None}], holds=["Promotions are frozen, by ada: vote."]
    )
    assert page.tone == "good"
    assert lines(page, "Champion")["Held"] == "Promotions are frozen, by ada: vote."
    assert lines(page, "Runs") == {"Paused": "tune"}


def test_lists_say_who_made_them_and_how_many_places_the_model_left_open():
    told = lines(page_on(replace(CALM, filled_share=0.0002)), "Readers")
    assert told["Made by"] == "v3"
    assert told["Fallbacks"] == "0.02 % of the places, which the model did not rank"
    baseline = {**LISTS, "model_version": None, "baseline": "co_reading"}
    assert lines(page_on(lists=baseline, champion=None), "Readers")["Made by"] == "the baseline co_reading"
    assert lines(page_on(replace(CALM, filled_share=0.125)), "Readers")["Fallbacks"].startswith("12.5 %")


def test_lists_without_an_audit_on_record_say_how_many_readers_have_one():
    assert card(page_on(lists={**LISTS, "readers_with_ten": None}), "Readers").lead == "2,999 readers have a list."


def test_the_champion_has_its_reason_its_quality_and_what_comes_after_it():
    candidate = {"version": 4, "registered_at": NOW, "state": "needs a decision"}
    told = lines(page_on(replace(CALM, candidate=candidate)), "Champion")
    assert told["Why"] == "Promoted v3: better."
    assert told["Among readers"] == "4.2 s of reading per article shown"
    assert told["Next candidate"] == "v4, trained 2026-11-30 16:44 UTC: needs a decision"
    assert lines(page_on(champion=None), "Champion")["Next candidate"] == "none trained since"


def test_the_champion_does_not_repeat_what_the_card_of_the_last_retraining_says():
    champion = {**CHAMPION, "run_id": RUN["run_id"]}
    assert lines(page_on(champion=champion), "Champion")["Why"] == "Promoted by last night's retraining."
    by_hand = replace(CALM, night={**RUN, "run_id": "retrain/manual__1"})
    told = lines(page_on(by_hand, champion={**CHAMPION, "run_id": "retrain/manual__1"}), "Champion")["Why"]
    assert told == "Promoted by the last retraining."


def test_gaps_are_listed_with_a_link_to_where_a_backfill_is_filed():
    assert card(page_on(), "Gaps").lead == "Every scheduled run of the last 14 days succeeded or goes on."
    gap = {"dag_id": "retrain", "count": 2, "sentence": "retrain: 2 runs did not start.", "kind": "missing"}
    gap |= {"last": NOW - 30 * HOUR}
    found = card(page_on(gaps=[gap]), "Gaps")
    assert found.lead.startswith("2 runs are missing. ")
    assert [line.words for line in found.lines] == [gap["sentence"]]
    assert [link.words for link in found.links] == ["Backfill retrain"]
    assert page_on(gaps=[gap]).tone == "good", "what is older than a day stands on its card alone"
    assert page_on(gaps=[gap | {"last": NOW - 2 * HOUR}]).lead == "Yes, but retrain: 2 runs did not start."


def test_a_run_that_is_due_and_does_not_start_is_told():
    late = [{"name": "recommend", "is_paused": False, "next_at": NOW - 11 * timedelta(minutes=1)}]
    assert page_on(next=late).lead == (
        "Yes, but recommend has been due since 2026-11-30 16:33 UTC, and the scheduler does not start it."
    )


def test_a_question_has_a_way_to_its_answer_for_those_who_may_answer():
    (link,) = card(page_on(questions=["v4"]), "Waits").links
    assert (link.words, link.address, link.opens) == ("The question in Airflow", "/required_actions", "airflow")
    page = page_on(questions=["v4"], may=["answer"])
    assert (
        page.link
        == card(page, "Waits").links[0]
        == Link("Answer the question", "/daybreak/actions/answer", is_action=True)
    )


def test_readers_are_looked_up_by_those_who_may():
    assert "/daybreak/readers" in [link.address for link in card(page_on(), "Readers").links]
    assert "/daybreak/readers" not in [link.address for link in card(page_on(may_see_readers=False), "Readers").links]


def buttons(page):
    lines = [line for card in page.cards for line in card.lines]
    links = [link for card in page.cards for link in card.links] + [link for line in lines for link in line.actions]
    return {link.words: link.address for link in links if link.is_action}


def test_what_a_person_may_do_is_a_button_where_it_belongs_and_others_see_none():
    waiting = {"quarantined": [{"snapshot_id": "s", "code": "E", "rows": 1}], "incidents": [INCIDENT]}
    row = {"code": "E", "table_name": "articles", "reason": "x", "article_id": 1, "publisher": None, "rows": 1}
    facts = replace(CALM, fallbacks=[2], quarantined=[row])
    assert buttons(page_on(facts, **waiting)) == {}
    page = page_on(facts, may=ACTIONS, **waiting)
    assert {words: address.removeprefix("/daybreak/actions/") for words, address in buttons(page).items()} == {
        "Make lists now": "recommend",
        "Take an article down": "takedown",
        "Roll back": "rollback",
        "Freeze promotions": "freeze",
        "Pin the champion": "pin",
        "Retrain now": "retrain",
        "Acknowledge": "acknowledge?incident=4",
        "Mute": "mute?incident=4",
        "Replay quarantined rows": "replay",
    }
    assert 'class="button" href="/daybreak/actions/mute?incident=4"' in html(page)


def test_only_what_would_change_something_is_offered():
    found = buttons(page_on(held=["freeze", "pin"], may=ACTIONS))
    assert {"Allow promotions", "Unpin the champion"} < set(found)
    assert not {"Roll back", "Freeze promotions", "Pin the champion"} & set(found)


def test_quarantined_rows_are_summed_by_publisher_and_rule():
    row = {"code": "EVT107", "table_name": "reading_events", "reason": "dwell is negative", "article_id": 1}
    quarantined = [
        {**row, "publisher": "Post", "rows": 2},
        {**row, "publisher": None, "rows": 4},
        {**row, "publisher": "Post", "article_id": 2, "rows": 3},
    ]
    newest = [{"snapshot_id": "s", "code": "EVT107", "rows": 9}]
    found = card(page_on(replace(CALM, quarantined=quarantined), quarantined=newest), "Quarantine")
    assert found.lead == "9 rows of snapshot s."
    assert [(row[0], row[2], row[3]) for row in found.tables[0].rows] == [
        ("Post", "dwell is negative [EVT107]", "5"),
        ("unknown", "dwell is negative [EVT107]", "4"),
    ]


def test_drift_counts_windows_and_names_what_moved():
    window = {"window_end": NOW, "model_version": 3, "is_drifted": True, "moved": ["category", "publisher"]}
    calm = {**window, "is_drifted": False, "moved": []}
    found = card(page_on(replace(CALM, drift=[window, calm])), "Drift")
    assert found.lead == "1 of the last 2 windows drifted from what the champion learnt."
    assert [row[2:] for row in found.tables[0].rows] == [("drifted", "category, publisher"), ("steady", "nothing")]
    assert card(page_on(replace(CALM, drift=[calm])), "Drift").lead.startswith("The only window so far did not drift")


def test_quality_is_drawn_from_zero_with_the_changes_of_the_champion():
    points = [(NOW - n * HOUR, 3.0 + n % 3) for n in range(48, 0, -1)]
    changes = [Change(NOW - 30 * HOUR, 3, False), Change(NOW - 29 * HOUR, 2, True), Change(NOW - 90 * DAY, 1, False)]
    large, small = draw("Seconds", "s", points, changes, NOW).drawings
    for drawing in (large, small):
        assert [tick.words for tick in drawing.up] == ["0", "2.5", "5"]
        numbers = [float(number) for number in re.findall(r"[\d.]+", drawing.path)]
        assert all(0 <= x <= drawing.width for x in numbers[::2])
        assert all(drawing.top <= y <= HEIGHT - drawing.bottom for y in numbers[1::2])
        assert [(mark.label, mark.row, mark.is_back) for mark in drawing.marks] == [
            ("v3", 0, False),
            ("↩ v2", 1, True),
        ]
    assert large.path.count("M") == 1


def test_a_gap_breaks_the_line_and_a_lone_window_is_a_dot():
    drawing = draw("Seconds", "s", [(NOW - DAY, 1.0), (NOW - HOUR, 1.0), (NOW, 2.0)], [], NOW).drawings[0]
    assert (drawing.path.count("M"), len(drawing.dots)) == (2, 1)


def test_many_changes_at_once_leave_labels_out_and_never_lay_them_over_each_other():
    changes = [Change(NOW - n * HOUR, n, False) for n in range(1, 9)]
    drawing = draw("Seconds", "s", [(NOW - 20 * DAY, 1.0), (NOW, 0.0)], changes, NOW).drawings[1]
    assert len(drawing.marks) == 8
    assert sum(bool(mark.label) for mark in drawing.marks) == 2
    assert {mark.anchor for mark in drawing.marks} == {"end"}


def test_quality_that_was_never_above_zero_is_drawn():
    assert draw("Seconds", "s", [(NOW, 0.0)], [], NOW).drawings[0].up[-1].words == "1"


def test_the_same_quality_stands_in_a_table_by_day():
    realised = [
        {"window_end": NOW - n * DAY - k * HOUR, "seconds_per_article": 2.0 + k, "impressions": 1000}
        for n in (1, 0)
        for k in (1, 0)
    ]
    found = card(page_on(replace(CALM, realised=realised)), "Reading")
    assert found.lead == "2.0 s in the window that ended 2026-11-30 16:44 UTC."
    assert [tuple(row) for row in found.tables[0].rows] == [
        ("2026-11-30", "2.5 s", "1,000"),
        ("2026-11-29", "2.5 s", "1,000"),
    ]


def test_every_reign_has_its_reason_its_verdict_and_its_quality():
    back = {**REIGN, "action": "rollback", "until": NOW - DAY, "page": None, "seconds_per_article": None}
    page = build_champions_page([REIGN, back], [], PLACES, NOW)
    assert page.lead == "v3 is champion, 2 days so far."
    now, before = page.cards[0].tables[0].rows
    assert (now[2], now[3], now[5].address, now[6]) == (
        "still, 2 days",
        "promoted by schedule",
        "/daybreak/reports/verdicts/v.html",
        "4.2 s",
    )
    assert before[2:4] == ("2026-11-29 16:44 UTC, after 24 h", "rolled back by schedule")
    assert before[5:] == (None, "not measured")


ARTICLE = {"article_id": 5, "title": "War", "category": "news", "publisher": "Post", "name": None}


def test_a_readers_list_says_what_moved_in_a_day():
    listed = [{**ARTICLE, "article_id": n, "rank": rank, "reason": "New"} for rank, n in ((1, 5), (2, 6), (3, 7))]
    earlier = [{**ARTICLE, "article_id": n, "rank": rank} for rank, n in ((1, 5), (2, 8), (3, 6))]
    page = build_reader_page(ReaderFacts("7", listed, LISTS, NOW - DAY, earlier, []), PLACES)
    assert page.lead == "3 articles by v3, as of 2026-11-30 16:00 UTC."
    assert [row[-1] for row in page.cards[0].tables[0].rows] == ["same place", "was 3", "new"]
    assert page.cards[1].lead == "2 of 3 articles of 2026-11-29 16:44 UTC stay."
    assert page.cards[1].tables[0].rows[0][1].address == "/daybreak/articles/8"


def test_an_article_says_in_how_many_lists_it_is_and_why():
    places = [
        {"rank": 1, "reason": "New", "readers": 20},
        {"rank": 1, "reason": "Local", "readers": 5},
        {"rank": 2, "reason": "New", "readers": 5},
    ]
    page = build_article_page(ArticleFacts(ARTICLE, LISTS, places), PLACES)
    assert page.lead == "In the lists of 30 of 2,999 readers (1 %), as of 2026-11-30 16:00 UTC."
    assert [tuple(row) for row in page.cards[1].tables[0].rows] == [("1", "25"), ("2", "5")]
    assert [tuple(row) for row in page.cards[2].tables[0].rows] == [("New", "25"), ("Local", "5")]


def test_an_article_that_is_down_says_by_whom_and_why_and_offers_to_lift_it():
    down = Takedown(ARTICLE["article_id"], "retracted", "ada", NOW)
    page = build_article_page(ArticleFacts(ARTICLE, LISTS, [], down), PLACES, ACTIONS)
    assert page.lead.endswith(" by ada: retracted. No list shows it.")
    assert [link.words for link in page.cards[0].links] == ["Lift the takedown"]
    assert [
        link.words for link in build_article_page(ArticleFacts(ARTICLE, LISTS, []), PLACES, ACTIONS).cards[0].links
    ] == ["Take down"]


def stage(name, status="done", error=None, pages=(), **facts):
    return {"stage": name, "status": status, "error": error, "facts": facts, "pages": list(pages)}


def test_a_runs_card_tells_what_went_in_and_what_came_out():
    stages = [
        stage("extract", reading_events=476905, articles=20593, subscribers=2991, late="Nothing came late."),
        stage("validate", quarantined=3, pages=["validation/x/index.html"]),
        stage("judge", sentence="Promoted v3: better.", rival="Judged against v2."),
        stage("publish", changed=True),
    ]
    checks = {"validate": {"passed": 88, "failed": 1, "told": ["3 titles are empty. [ART103]"]}}
    page = build_run_page(RunFacts({**RUN, "stages": stages}, checks), PLACES)
    assert (page.lead, page.tone) == ("Promoted v3: better.", "good")
    told = {one.title: one for one in page.cards}
    assert told["What went in"].lead == (
        "476,905 reading events, 20,593 articles, 2,991 subscribers. Nothing came late."
    )
    assert told["Quarantined"].lead == "3 rows quarantined."
    assert [line.words for line in told["Quarantined"].lines] == [
        "88 passed, 1 failed",
        "3 titles are empty. [ART103]",
    ]
    assert told["Quarantined"].links[0].address == "/daybreak/reports/validation/x/index.html"
    assert told["Judged"].lead == "Promoted v3: better. Judged against v2."
    assert told["Published"].lead == "They are live."


def test_every_stage_that_a_run_records_has_its_part_on_the_card():
    code = "\n".join(path.read_text() for path in (PROJECT / "include").rglob("*.py"))
    stages = set(re.findall(r"^@recorded\ndef (\w+)", code, re.MULTILINE))
    assert len(stages) > 15
    assert stages == {stage for part in PARTS.values() for stage in part}


def test_a_failed_stage_says_what_failed_and_not_the_hint():
    failed = stage("extract", "failed", "There is no column title. Hint: mend the view.")
    page = build_run_page(RunFacts({**RUN, "state": "failed", "stages": [failed]}, {}), PLACES)
    assert page.tone == "bad"
    assert (page.cards[1].lead, page.cards[1].tone) == ("There is no column title.", "bad")


def test_a_command_has_no_link_into_airflow():
    page = build_run_page(RunFacts({**RUN, "run_id": "cli/retrain/1", "stages": []}, {}), PLACES)
    assert page.cards[0].links == []


def test_reports_are_listed_by_run_with_outcome_and_a_way_to_those_of_one_dag():
    run = {**RUN, "pages": ["verdicts/v.html", "other/x.html"]}
    page = build_reports_page([run], None, PLACES)
    ((_, name, _, outcome, reports),) = page.cards[1].tables[0].rows
    assert (name.words, name.address) == ("retrain", "/daybreak/runs/retrain/scheduled__1")
    assert outcome == "Promoted v3: better."
    assert [link.words for link in reports] == ["Verdict", "Report"]
    assert ('<a href="/daybreak/reports/other/x.html" target="_blank" rel="noopener">Report</a>') in html(
        page, "details"
    )
    assert ("retrain", "/daybreak/reports/?of=retrain") in [(link.words, link.address) for link in page.cards[0].links]
    assert build_reports_page([], None, PLACES).lead == "No reports yet."
    of_one = build_reports_page([], "monitor", PLACES)
    assert of_one.lead == "No reports of monitor yet."
    assert [link.words for link in of_one.cards[0].links][:2] == ["all", "recommend"]


def html(page, template="status"):
    return render(template, page, PLACES, may_see_readers=True, here="")


def test_everything_that_is_told_is_escaped():
    text = html(page_on(holds=["<script>alert(1)</script>"]))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_page_is_complete_for_those_who_hear_it():
    realised = [{"window_end": NOW - HOUR, "seconds_per_article": 2.0, "impressions": 10}]
    text = html(page_on(replace(CALM, realised=realised)))
    assert '<html lang="en">' in text
    assert text.count("<h1>") == 1
    assert all(tag in text for tag in ("<header>", '<nav aria-label="Daybreak">', '<main id="content">'))
    assert '<th role="columnheader" scope="col">Day</th>' in text
    assert 'role="img" aria-label="Seconds of reading per article shown, from 2026-11-30 15:44 UTC' in text
    assert 'aria-current="page">Status</a>' in text
    assert "style=" not in text
