"""The card of a version says what was recorded of it, in the reports and in MLflow."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from urllib.parse import unquote

import pytest

from include import pipeline
from include.adapters import mlflow_client
from include.adapters.warehouse import connect
from include.data.snapshot import find_snapshot
from include.judging.card import describe
from include.models import registry


@pytest.fixture(scope="module")
def registered(mlflow_server, first_retrain):
    with connect(mlflow_server) as warehouse:
        return registry.find_model(warehouse, int(first_retrain.model.id))


@pytest.fixture(scope="module")
def card(mlflow_server, first_retrain):
    return (mlflow_server.home / "reports" / first_retrain.verdict.facts["card"]).with_suffix(".md").read_text()


def test_a_card_names_model_data_parameters_and_how_to_make_it_again(mlflow_server, card, registered):
    clean = find_snapshot(mlflow_server, registered.snapshot_id)
    assert card.startswith(
        f"# Model card: v{registered.version}\n\ntwo_stage, as of 2025-03-09 00:00 UTC. Promoted v1: "
    )
    assert f"| Snapshot | {clean.id} |  | made from {clean.parent} |" in card
    assert "| Window | 2025-03-04 00:00 to 2025-03-09 00:00 UTC |" in card
    assert f"| reading_events | {clean.rows('reading_events'):,} | 0 |  |" in card
    assert f"| Features | {registered.feature_version}, build {registered.features_id} |" in card
    assert "| seed | 7 |" in card
    _, weights = card.split("## Feature weights")
    shares = [float(line.split("|")[2]) for line in weights.split("## ")[0].splitlines()[4:] if line]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 15
    assert 0.5 < sum(shares) <= 1
    assert f"`bin/daybreak reproduce {registered.version}` must give digest {registered.digest}." in card


def test_a_card_holds_every_check_and_every_difference_of_its_verdict(mlflow_server, card, first_retrain):
    with connect(mlflow_server) as warehouse:
        ((checks, metrics),) = warehouse.execute(
            "select checks, metrics from ops.verdicts where verdict_id = %s", [first_retrain.verdict.id]
        )
    assert {f"| {check['code']} | {check['title']} | {check['outcome']} |" for check in checks} <= {
        "|".join(line.split("|")[:4]) + "|" for line in card.splitlines()
    }
    for name, means in metrics.items():
        if name != "challenger":
            assert f"| {name} | {means['ndcg']:.3f} | +" in card
    assert f"## Checks of verdict {first_retrain.verdict.id}: promote" in card
    assert "its quality on other days is unknown" in card


def test_a_card_lies_with_the_run_and_its_verdict_is_what_version_run_and_model_say(mlflow_server, card, registered):
    client = mlflow_client.client(mlflow_server)
    found = [file.path for file in client.list_artifacts(registered.mlflow_run_id, "card")]
    assert found == [f"card/v{registered.version}.html", f"card/v{registered.version}.md"]
    said = client.get_model_version("daybreak", str(registered.version)).description
    assert said.startswith(f"Promoted v{registered.version}: ")
    of_run = client.get_run(registered.mlflow_run_id)
    of_model = client.get_logged_model(of_run.outputs.model_outputs[0].model_id)
    assert of_run.data.tags["mlflow.note.content"] == of_model.tags["mlflow.note.content"] == said
    assert card.splitlines()[2] == f"two_stage, as of 2025-03-09 00:00 UTC. {said}"


def test_a_version_that_nobody_judged_says_so(mlflow_server, run, features):
    own = replace(run, settings=run.settings.model_copy(update={"seed": 23}))  # a version that no other test judges
    version = pipeline.train(own, features, "most_read")
    page = mlflow_server.home / "reports" / version.facts["card"]
    assert "Not judged yet." in page.read_text()
    assert "do not show them to readers" in page.with_suffix(".md").read_text()


def test_training_again_leaves_the_card_of_a_judged_version(run, features, first_retrain, mlflow_server):
    page = mlflow_server.home / "reports" / first_retrain.verdict.facts["card"]
    before = page.read_bytes()
    assert pipeline.train(run, features, "two_stage").facts["card"] == first_retrain.verdict.facts["card"]
    assert page.read_bytes() == before


def test_a_champion_that_is_judged_again_keeps_the_card_it_was_promoted_with(
    run, features, first_retrain, registered, mlflow_server
):
    page = mlflow_server.home / "reports" / first_retrain.verdict.facts["card"]
    before = page.read_bytes()
    again = pipeline.judge(run, first_retrain.model, features)
    assert (again.facts["decision"], again.facts["card"]) == ("keep", first_retrain.verdict.facts["card"])
    assert page.read_bytes() == before
    client = mlflow_client.client(mlflow_server)
    for holder in (
        client.get_model_version("daybreak", str(registered.version)).tags,
        client.get_run(registered.mlflow_run_id).data.tags,
    ):
        assert (holder["verdict"], holder["verdict_id"]) == ("promote", first_retrain.verdict.id)


def test_rows_that_were_set_aside_are_counted_by_the_rules_they_broke(run, mlflow_server, registered, broken_snapshot):
    clean = pipeline.validate(run, broken_snapshot)
    about = {**vars(registered), "snapshot_id": clean.id}
    _, _, sections = describe(mlflow_server, registry.RegisteredModel(**about), None)
    rows = {row[0]: row for row in dict(sections)["Data"].rows}
    assert rows["subscribers"] == ("subscribers", clean.facts["subscribers"], 3, "SUB101 1, SUB102 1, SUB104 1")


def test_every_link_on_every_page_leads_somewhere(mlflow_server, first_retrain):
    """To a page that is there, or to the card of a run."""
    reports, base = mlflow_server.home / "reports", mlflow_server.report_link("")
    pages = [reports / first_retrain.verdict.facts[name] for name in ("report", "card")]
    pages += sorted(reports.glob("validation/*/index.html")) + sorted(reports.glob("lists/*.html"))
    champions = f"{mlflow_server.airflow_url}/daybreak/champions"
    seen, dead = set(), []
    while pages:
        page = pages.pop()
        seen.add(page)
        for address in map(unescape, re.findall(r'href="([^"]*)"', page.read_text())):
            if address in (base, champions) or address.startswith((mlflow_server.run_link(""), "#")):
                continue
            target = (
                reports / unquote(address.removeprefix(base))
                if address.startswith(base)
                else (page.parent / unquote(address.partition("#")[0])).resolve()
            )
            if not target.is_file():
                dead.append((page.name, address))
            elif target not in seen and target.suffix == ".html":
                pages.append(target)
    assert dead == []
    kinds = {page.relative_to(reports).parts[0] for page in seen}
    assert {"verdicts", "cards", "validation"} <= kinds
