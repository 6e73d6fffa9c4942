"""What the publisher promises: tables, columns, and the rules a row must keep.

This is the one readable place for rules. `validation.py` turns each into a Great Expectations expectation and into one
predicate of the quarantine pass; a test holds the two against each other. Every code has a section in `docs/checks.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

MOMENT = pa.timestamp("us", tz="UTC")
KINDS = ("impression", "click", "read")
LONGEST_READ_SECONDS = 4 * 3600.0
LONGEST_ARTICLE_WORDS = 50_000


@dataclass(frozen=True)
class Rule:
    """One promise about a row. Rows that break it are set aside, above the cap the run stops; at `warn` it is noted.

    `holds` is the kind of promise, `limits` its parameters; a null value only breaks `not_null`, `is_true` and
    `unique` rules.
    """

    code: str
    title: str
    column: str
    holds: Literal["not_null", "unique", "between", "one_of", "is_true"]
    limits: tuple[Any, ...] = ()
    severity: Literal["block", "warn"] = "block"


@dataclass(frozen=True)
class SourceTable:
    """One view of the contract. `day_column` cuts it into files; `key` names a row in messages."""

    name: str
    key: str
    day_column: str
    columns: pa.Schema
    rules: tuple[Rule, ...]


SUBSCRIBERS = SourceTable(
    name="subscribers",
    key="reader_id",
    day_column="",
    columns=pa.schema(
        [
            ("reader_id", pa.int64()),
            ("region", pa.string()),
            ("plan", pa.string()),
            ("signed_up_at", MOMENT),
            ("interests", pa.list_(pa.string())),
        ]
    ),
    rules=(
        Rule("SUB101", "reader_id is there", "reader_id", "not_null"),
        Rule("SUB102", "reader_id is unique", "reader_id", "unique"),
        Rule("SUB103", "region is there", "region", "not_null", severity="warn"),
        Rule("SUB104", "signed_up_at is there", "signed_up_at", "not_null"),
    ),
)

ARTICLES = SourceTable(
    name="articles",
    key="article_id",
    day_column="published_at",
    columns=pa.schema(
        [
            ("article_id", pa.int64()),
            ("title", pa.string()),
            ("summary", pa.string()),
            ("category", pa.string()),
            ("publisher", pa.string()),
            ("language", pa.string()),
            ("word_count", pa.int32()),
            ("published_at", MOMENT),
            ("ingested_at", MOMENT),
            ("updated_at", MOMENT),
            ("is_flagged", pa.bool_()),
        ]
    ),
    rules=(
        Rule("ART101", "article_id is there", "article_id", "not_null"),
        Rule("ART102", "article_id is unique", "article_id", "unique"),
        Rule("ART103", "title is there", "title", "not_null"),
        Rule("ART104", "category is there", "category", "not_null"),
        Rule("ART105", "published_at is there", "published_at", "not_null"),
        Rule("ART106", "word_count is plausible", "word_count", "between", (1, LONGEST_ARTICLE_WORDS)),
        Rule("ART107", "is_flagged is there", "is_flagged", "not_null"),
        Rule("ART108", "ingested_at is there", "ingested_at", "not_null"),
    ),
)

READING_EVENTS = SourceTable(
    name="reading_events",
    key="event_id",
    day_column="occurred_at",
    columns=pa.schema(
        [
            ("event_id", pa.int64()),
            ("reader_id", pa.int64()),
            ("article_id", pa.int64()),
            ("kind", pa.string()),
            ("occurred_at", MOMENT),
            ("ingested_at", MOMENT),
            ("dwell_seconds", pa.float64()),
            ("position", pa.int16()),
            ("surface", pa.string()),
            ("batch_id", pa.string()),
            ("session_id", pa.int64()),
        ]
    ),
    rules=(
        Rule("EVT101", "event_id is there", "event_id", "not_null"),
        Rule("EVT102", "event_id is unique", "event_id", "unique"),
        Rule("EVT103", "kind is known", "kind", "one_of", KINDS),
        Rule("EVT104", "kind is there", "kind", "not_null"),
        Rule("EVT105", "reader is a subscriber", "is_reader_known", "is_true"),
        Rule("EVT106", "article exists", "is_article_known", "is_true"),
        Rule("EVT107", "dwell_seconds is plausible", "dwell_seconds", "between", (0.0, LONGEST_READ_SECONDS)),
        Rule("EVT108", "a read says how long", "has_dwell_if_read", "is_true"),
        Rule("EVT109", "position is plausible", "position", "between", (1, 1000)),
        Rule("EVT110", "read after it was published", "is_after_publishing", "is_true"),
        Rule("EVT111", "ingested_at is there", "ingested_at", "not_null"),
    ),
)

TABLES = (SUBSCRIBERS, ARTICLES, READING_EVENTS)

# PostgreSQL types that convert to ours without loss or surprise; `doctor` and the extract name any other.
ACCEPTED_TYPES: dict[str, frozenset[str]] = {
    "int64": frozenset({"bigint", "integer", "smallint"}),
    "int32": frozenset({"integer", "smallint", "bigint"}),
    "int16": frozenset({"smallint", "integer", "bigint"}),
    "double": frozenset({"double precision", "real"}),
    "string": frozenset({"text", "character varying", "character"}),
    "bool": frozenset({"boolean"}),
    "timestamp[us, tz=UTC]": frozenset({"timestamp with time zone"}),
    "list<item: string>": frozenset({"text[]", "character varying[]"}),
}
