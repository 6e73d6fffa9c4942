"""Data Docs are complete without the network, say what broke in the contract's words, and keep no values."""

from __future__ import annotations

import json
import re

import pytest

from include.adapters import duck
from include.adapters.gx import open_judge
from include.core.contract import Rule
from tests.worlds import tiny

RULES = [
    Rule("X101", "name is there", "name", "not_null"),
    Rule("X102", "size is plausible", "size", "between", (0, 1000), severity="warn"),
]


@pytest.fixture(scope="module")
def answers_and_docs(tmp_path_factory):
    docs = tmp_path_factory.mktemp("docs")
    with duck.connect() as connection:
        connection.sql("select * from (values ('a', 1), (null, 2), ('secret', 7777)) r(name, size)").create_view("rows")
        with open_judge(connection, docs) as judge:
            answers = judge.judge({"things": ("rows", RULES)}, {"least_sound_share": 0.9}, tiny.AS_OF)
    return answers["things"], docs


@pytest.fixture(scope="module")
def page(answers_and_docs):
    (path,) = answers_and_docs[1].glob("validations/things/**/*.html")
    return path


def test_the_page_names_each_rule_with_its_limits_and_how_many_values_break_it(page):
    text = re.sub(r"<[^>]+>|\s+", " ", page.read_text())
    assert "X101: name is there" in text
    assert "X102: size is plausible (0 to 1,000)" in text
    assert "1 unexpected values found. ≈33.33% of 3 total rows" in " ".join(text.split())


def test_pages_load_nothing_and_link_only_to_pages_that_are_there(answers_and_docs):
    (docs,) = answers_and_docs[1:]
    pages = list(docs.rglob("*.html"))
    assert len(pages) == 2, "one of results and one of the suite"
    for one in pages:
        text = one.read_text()
        assert not re.findall(r"<(?:script|link|img|iframe)\b[^>]*", text)
        assert "newsletter" not in text
        linked = {(one.parent / address).resolve() for address in re.findall(r'(?:src|href)="([^"#]+)"', text)}
        assert docs / "index.html" in linked, "the report's front page"
        assert linked <= {*pages, docs / "index.html"}


def test_results_are_kept_as_great_expectations_keeps_them_without_values(answers_and_docs):
    (path,) = answers_and_docs[1].glob("results/things/**/*.json")
    kept = json.loads(path.read_text())
    assert not kept["success"]
    assert {one["expectation_config"]["severity"]: one["success"] for one in kept["results"]} == {
        "critical": False,
        "warning": False,
    }
    assert "7777" not in path.read_text()


def test_nothing_else_is_written(answers_and_docs):
    kinds = {path.suffix for path in answers_and_docs[1].rglob("*") if path.is_file()}
    assert kinds == {".html", ".json", ""}, "the nameless one is the store's id"
