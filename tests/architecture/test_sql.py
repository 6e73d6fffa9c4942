"""Statements live in files, every file is used, parameters are bound, and the database does not decide by its clock."""

from __future__ import annotations

import ast
import re

import pytest

from include.settings import PROJECT
from tests.architecture.source import calls, files, name, words

SQL = PROJECT / "include" / "sql"
EXECUTES = (".execute", ".executemany", ".copy", ".sql", ".query", ".raw_sql", ".stream")

# Files in which PostgreSQL says what time it is, and why they may.
CLOCK = {
    "migrations/0002_recs": "stamps; and whether a list is stale is about now",
    "migrations/0003_ops": "stamps",
    "migrations/0004_quarantine": "stamps",
    "migrations/0006_snapshots": "stamps",
    "migrations/0015_retention": "stamps",
    "snapshot/keep": "stamps when a snapshot was last met",
    "doctor/clock": "is held against this machine's",
    "status/lists": "whether a list is stale is about now",
    "alerts/sent": "stamps",
    "batch/begin": "stamps",
    "batch/mark_published": "stamps",
    "batch/restore": "stamps",
    "monitor/keep_drift": "stamps",
    "monitor/keep_health": "stamps",
}


def statements() -> dict[str, str]:
    """Every statement's text without comments, by the name that `query` knows it by."""
    return {
        str(path.relative_to(SQL).with_suffix("")): re.sub(r"--.*", "", path.read_text())
        for path in sorted(SQL.rglob("*.sql"))
    }


def asked_for() -> tuple[set[str], list[re.Pattern[str]]]:
    """The names that `query(…)` is called with: written out, and as patterns where a part is filled in."""
    names, patterns = set(), []
    for path in files("include", "plugins", "dags"):
        for called, call in calls(path):
            if called.split(".")[-1] != "query" or not call.args:
                continue
            match call.args[0]:
                case ast.Constant(value=str() as written):
                    names.add(written)
                case ast.JoinedStr(values=values):
                    parts = [re.escape(v.value) if isinstance(v, ast.Constant) else "(.+)" for v in values]
                    patterns.append(re.compile("".join(parts)))
    return names, patterns


def test_every_statement_is_used():
    names, patterns = asked_for()
    known = {word for path in files("include") for word in words(path)}

    def is_used(statement):
        fills = (pattern.fullmatch(statement) for pattern in patterns)
        return statement in names or any(fill and (fill[1] in known or fill[1].startswith("0")) for fill in fills)

    assert [statement for statement in statements() if not is_used(statement)] == []


def test_every_statement_that_is_asked_for_is_there():
    names, _ = asked_for()
    assert len(names) > 20
    assert names - statements().keys() == set()


def is_put_together(node: ast.expr) -> bool:
    """Whether a statement is made of strings at run time; psycopg's own composing does not count."""
    match node:
        case ast.JoinedStr() | ast.BinOp(op=ast.Mod()):
            return True
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return not (isinstance(left, ast.Constant) and isinstance(right, ast.Constant))
        case ast.Call(func=ast.Attribute(attr="format", value=value)):
            return not (isinstance(value, ast.Call) and getattr(value.func, "attr", "") == "SQL")
        case ast.Call(func=ast.Attribute(attr="join" | "replace")):
            return True
    return False


@pytest.mark.parametrize("path", files("include", "plugins", "dags", "feature_repo"), ids=name)
def test_no_statement_is_put_together_from_strings(path):
    guilty = [
        f"line {call.lineno}"
        for called, call in calls(path)
        if called.endswith(EXECUTES) and call.args and is_put_together(call.args[0])
    ]
    assert guilty == []


def test_a_statement_put_together_from_strings_would_be_noticed():
    for text in ('f"select {x}"', '"select %s" % x', '"select " + x', '"select {}".format(x)', '" ".join(x)'):
        assert is_put_together(ast.parse(text).body[0].value), text
    for text in ('"select 1"', 'query("a")', "sql.SQL(query('a')).format(b=c)", '"a" "b"'):
        assert not is_put_together(ast.parse(text).body[0].value), text


def test_the_database_says_what_time_it_is_only_for_stamps():
    reads_clock = re.compile(
        r"\b(now|today|get_current_time\w*|clock_timestamp|timeofday)\s*\(|\bcurrent_(date|time)|\blocaltime"
    )
    assert {statement for statement, text in statements().items() if reads_clock.search(text)} == set(CLOCK)


def windows(text: str) -> list[str]:
    """What stands between the brackets of every `row_number() over (…)`."""
    found = []
    for match in re.finditer(r"row_number\(\) over \(", text):
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        found.append(text[match.end() : end - 1])
    return found


@pytest.mark.parametrize("statement", [s for s in statements() if windows(statements()[s])])
def test_what_is_numbered_has_an_order_without_ties(statement):
    """The order ends with a key, so that equal rows come out the same everywhere and every time."""
    for window in windows(statements()[statement]):
        assert re.search(r"\b(article_id|other_id|name|rank|file_row_number)$", window.strip()), window


@pytest.mark.parametrize("statement", statements())
def test_a_statement_that_is_not_plain_says_what_it_is_for(statement):
    text = (SQL / f"{statement}.sql").read_text()
    if len(text.splitlines()) > 8:
        assert text.startswith("-- ")
