"""Statements live in files, every file is used, parameters are bound, and the database does not decide by its clock."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

from include.core.locks import LockKey
from include.core.settings import PROJECT
from tests.architecture.source import calls, files, name, tree, words

INCLUDE = PROJECT / "include"
ENGINES = ("postgres", "duckdb")
EXECUTES = (".execute", ".executemany", ".copy", ".sql", ".query", ".raw_sql", ".stream")

# Statements in which PostgreSQL says what time it is, and why they may.
CLOCK = {
    "adapters/migrations/0002_recs": "stamps; and whether a list is stale is about now",
    "adapters/migrations/0003_ops": "stamps",
    "adapters/migrations/0004_quarantine": "stamps",
    "adapters/migrations/0006_snapshots": "stamps",
    "adapters/migrations/0015_retention": "stamps",
    "adapters/migrations/0021_first_days": "whether a list is stale is about now",
    "adapters/migrations/0030_takedowns": "whether a list is stale is about now",
    "alerts/sent": "stamps",
    "data/keep_snapshot": "stamps when a snapshot was last met",
    "lists/begin": "stamps",
    "lists/mark_published": "stamps",
    "lists/restore": "stamps",
    "monitoring/keep_drift": "stamps",
    "monitoring/keep_health": "stamps",
    "operations/doctor/clock": "is held against this machine's",
    "operations/lists": "whether a list is stale is about now",
}


def sql_files() -> list[Path]:
    """Every file of SQL but those of the demo publisher, who is a stranger."""
    return [path for path in sorted(INCLUDE.rglob("*.sql")) if "demo" not in path.parts]


def known_as(path: Path) -> str:
    """The name that `query` knows a statement by: its room, then its own name."""
    parts = [part for part in path.relative_to(INCLUDE).with_suffix("").parts if part not in ("sql", *ENGINES)]
    return "/".join(parts)


def statements() -> dict[str, str]:
    """Every statement's text without comments, by its name."""
    return {known_as(path): re.sub(r"--.*", "", path.read_text()) for path in sql_files()}


def test_a_statement_lies_in_the_room_that_asks_it_by_the_engine_that_runs_it():
    strays = [
        name(path)
        for path in sql_files()
        if path.parent.name != "migrations" and (path.parents[1].name != "sql" or path.parent.name not in ENGINES)
    ]
    assert strays == []
    rooms = {name(path).split("/")[1]: set() for path in sql_files()}
    for path in files("include"):
        for called, call in calls(path):
            if called.split(".")[-1] == "query" and call.args and isinstance(call.args[0], ast.Constant):
                rooms.setdefault(str(call.args[0].value).split("/")[0], set()).add(name(path).split("/")[1])
    assert {room: askers for room, askers in rooms.items() if askers and room not in askers} == {}


def test_an_engine_is_asked_only_what_is_written_for_it():
    for path in files("include", "plugins", "bench"):
        for called, call in calls(path):
            if called.split(".")[-1] != "query" or not call.args or not isinstance(call.args[0], ast.Constant):
                continue
            room, _, statement = str(call.args[0].value).rpartition("/")
            engine = "duckdb" if called == "duck.query" else "postgres"
            assert (INCLUDE / room / "sql" / engine / f"{statement}.sql").exists(), f"{name(path)}: {statement}"


def asked_for() -> tuple[set[str], list[re.Pattern[str]]]:
    """The names that `query(…)` and `source_query(…)` get: written out, and as patterns where a part is filled in."""
    names, patterns = set(), []
    for path in files("include", "plugins", "dags"):
        for called, call in calls(path):
            place = {"query": 0, "source_query": 1}.get(called.split(".")[-1], len(call.args))
            if place >= len(call.args):
                continue
            match call.args[place]:
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
        return statement in names or any(fill and fill[1] in known for fill in fills)

    migrations = {name for name in statements() if name.startswith("adapters/migrations/")}
    assert [statement for statement in statements().keys() - migrations if not is_used(statement)] == []


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


def test_no_statement_is_put_together_from_strings():
    guilty = [
        f"{name(path)}:{call.lineno}"
        for path in files("include", "plugins", "dags", "feature_repo")
        for called, call in calls(path)
        if called.endswith(EXECUTES) and not called.endswith(".query") and call.args and is_put_together(call.args[0])
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


def test_what_is_numbered_has_an_order_without_ties():
    """The order ends with a key, so that equal rows come out the same everywhere and every time."""
    key = re.compile(r"\b(article_id|other_id|name|rank|file_row_number)$")
    guilty = [
        statement
        for statement, text in statements().items()
        for window in windows(text)
        if not key.search(window.strip())
    ]
    assert guilty == []


def test_a_statement_that_is_not_plain_says_what_it_is_for():
    silent = [
        name(path)
        for path in sql_files()
        if len(path.read_text().splitlines()) > 8 and not path.read_text().startswith("-- ")
    ]
    assert silent == []


def locks_with_a_key_of_their_own(path: Path) -> list[str | int]:
    """What a file says of advisory locks with the key written out, in a statement or as a number."""
    written_out = re.compile(r"pg_\w*advisory\w*\(\s*[^%\s][^)]*\)")
    if path.suffix == ".sql":
        return written_out.findall(path.read_text())
    found = [call for word in words(path) for call in written_out.findall(word)]
    numbers = {node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant)}
    return [*found, *(int(key) for key in LockKey if key in numbers)]


def test_no_two_purposes_share_the_key_of_a_lock():
    assert len(LockKey.__members__) > 4
    assert {name: key.name for name, key in LockKey.__members__.items() if key.name != name} == {}


def test_every_lock_takes_its_key_from_the_table():
    paths = [*files(), *(PROJECT / "include").rglob("*.sql")]
    table = Path(inspect.getfile(LockKey))
    guilty = {name(path): found for path in paths if path != table and (found := locks_with_a_key_of_their_own(path))}
    assert guilty == {}
