"""The patterns of texts mean the same to the two engines that read them."""

from __future__ import annotations

import random
import re

import pyarrow as pa

from include.adapters import duck
from include.core.contract import TABLES
from include.core.text_patterns import PHONE_NUMBER, in_python

PATTERNS = sorted({rule.limits[0] for table in TABLES for rule in table.rules if rule.holds == "lacks"})
PIECES = [
    *("0", "1", "55", "555", "1234", "06", "12", " ", "  ", ".", "-", ",", "(", ")", "+", "\n", "\u00a0", "^", "$"),
    *("Tel. ", "phone: ", "a@b.co", "Ã", "©", "Â", "â€", "&amp;", "&#39;", "<b", "<", "word", "\x07", "é"),
]
NUMBERS = ["+33 6 12 34 56 78", "(020) 7946 0958", "555-123-4567", "06 12 34 56 78", "0612345678", "Tel. 555 1234 567"]


def texts() -> list[str]:
    chance = random.Random(7)
    parts = [*PIECES, *NUMBERS]
    return ["".join(chance.choices(parts, k=chance.randint(1, 9))) for _ in range(20_000)]


def test_python_finds_what_duckdb_finds() -> None:
    asked = pa.table({"text": texts()})
    with duck.connect() as connection:
        for pattern in PATTERNS:
            rows = connection.from_arrow(asked)
            found = connection.execute("select regexp_matches(text, $p) from rows", {"p": pattern}).fetchall()
            python = re.compile(f"(?a){in_python(pattern)}")
            expected = [bool(python.search(text)) for text in asked["text"].to_pylist()]
            assert [one for (one,) in found] == expected, pattern
            assert 0 < sum(expected) < rows.shape[0], pattern


def test_the_pattern_of_phone_numbers_is_another_one_in_python() -> None:
    assert "(?:^|" not in in_python(PHONE_NUMBER)
    assert all(re.search(in_python(PHONE_NUMBER), number) for number in NUMBERS)
