"""Two versions side by side: which is better, for whom, and how they differ, in words that their figures allow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.operations.status_page.comparison import Comparison, build_comparison_page
from include.operations.status_page.parts import Places
from include.operations.status_page.render import render
from tests.unit.operations.test_status_page import REIGN, card

NOW = datetime(2026, 11, 30, 16, 44, tzinfo=UTC)
PLACES = Places("/daybreak", "")


def version(number, **more):
    return {
        "version": number,
        "model": "two_stage",
        "as_of": NOW,
        "registered_at": NOW,
        "trained_until": None,
        "snapshot_id": f"s{number}",
        "feature_version": "f1",
        "window_start": NOW - timedelta(days=14),
        "rows": {"articles": 20593, "reading_events": 476905, "subscribers": 2991},
        **more,
    }


def difference(name="all readers", low=0.001, high=0.003, **more):
    return {
        **{"rival": 3, "name": name, "is_comparable": True, "mean": 0.002, "low": low, "high": high},
        **{"chance": 0.99, "readers": 900, **more},
    }


VERDICT = {
    **{"verdict_id": "v5-after-3", "as_of": NOW, "challenger_version": 5, "champion_version": 3, "decision": "promote"},
    **{"checks": [], "is_binding": True, "page": "verdicts/v5.html"},
    "metrics": {
        "challenger": {"ndcg": 0.688, "hit_share": 0.5},
        "most_read": {"ndcg": 0.4},
        "champion": {"ndcg": 0.686, "hit_share": None},
    },
    "differences": [difference(), difference("region: north", is_comparable=False, readers=9, low=None, high=None)],
}
READING = {3: {"version": 3, "seconds_per_article": 3.94, "impressions": 1, "windows": 1, "until": NOW}}
FACTS = Comparison(
    (version(3), version(5)),
    VERDICT,
    [{**REIGN, "version": 3}],
    READING,
    ({"trees": "100", "rate": "0.1"}, {"trees": "200", "rate": "0.1", "depth": "3"}),
)


def page_on(**facts):
    return build_comparison_page(replace(FACTS, **facts), PLACES)


@pytest.mark.parametrize(
    ("verdict", "lead"),
    [
        (VERDICT, "v5 is more accurate than v3 on the same reading (+0.0020, 95 % interval +0.0010 to +0.0030)."),
        ({**VERDICT, "differences": [difference(low=-0.003, high=-0.001)]}, "v5 is less accurate than v3"),
        ({**VERDICT, "differences": [difference(low=-0.003)]}, "v5 and v3 do not differ clearly in accuracy"),
        ({**VERDICT, "differences": []}, "v5 was judged against v3, without a fair comparison on record."),
        ({**VERDICT, "differences": [difference(rival=2)]}, "v5 was judged against v3, without a fair comparison"),
        (None, "v3 and v5 were never judged against each other"),
    ],
)
def test_the_sentence_on_top_says_what_the_figures_allow(verdict, lead):
    page = page_on(verdict=verdict)
    assert page.lead.startswith(lead)
    assert page.lead.endswith(" Readers read 3.9 s per article shown by v3.")
    assert page.title == "v3 and v5 side by side"


def test_the_numbers_of_both_stand_in_the_order_of_the_page_with_the_verdict():
    found = card(page_on(), "What decided")
    assert found.lead == "Promote, by the checks of its release.", "no check is on record that would say more"
    assert found.tables[0].headings == ("Measure", "v3", "v5")
    assert [tuple(row[1:]) for row in found.tables[0].rows[:2]] == [("0.686", "0.688"), ("unknown", "50 %")]
    assert found.links[0].address == "/daybreak/reports/verdicts/v5.html"


def test_groups_are_drawn_with_intervals_and_those_with_few_readers_are_not():
    html = render("details", page_on(), PLACES, may_see_readers=True, here="champions")
    drawn = html[html.index('class="ranges"') :]
    assert 'class="drawn axis-of good"' in drawn
    assert ("better" in drawn, "not comparable" in drawn, "style=" in drawn) == (True, True, False)
    assert not [one for one in page_on(verdict=None).cards if one.title.startswith("By group")]


def test_data_parameters_and_reigns_are_told():
    page = page_on()
    rows = {row[0]: row[1:] for row in card(page, "Training data").tables[0].rows}
    assert rows["Reading events"] == ("476,905", "476,905")
    assert rows["Snapshot"] == ("s3", "s5")
    found = card(page, "Parameters")
    assert found.lead == "2 parameters; 1 more the same."
    assert [tuple(row) for row in found.tables[0].rows] == [("depth", None, "3"), ("trees", "100", "200")]
    readers = card(page, "With readers")
    assert readers.lead == "The lists of v5 have not been measured with readers yet."
    assert readers.tables[0].rows[0][3] == "promoted"


def test_what_is_not_on_record_is_said():
    page = page_on(
        parameters=None, versions=(version(3, rows=None, window_start=None), version(5)), reigns=[], reading={}
    )
    assert card(page, "Parameters").lead == "MLflow does not tell them at present."
    rows = {row[0]: row[1:] for row in card(page, "Training data").tables[0].rows}
    assert (rows["Articles"], rows["Window"][0]) == ((None, "20,593"), None)
