"""The data contract with the publisher: tables, columns, and the rules that each row must keep.

All rules are defined here. `include/adapters/gx.py` turns each into an expectation of Great Expectations, by whose
condition the quarantine pass finds the rows that break it. Every code has a section in `docs/checks.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from include.core import text_patterns as text
from include.core.checks import Severity

MOMENT = pa.timestamp("us", tz="UTC")
KINDS = ("impression", "click", "read")
LONGEST_READ_SECONDS = 4 * 3600.0
LONGEST_COUNTED_SECONDS = 600.0  # cap on one read in every metric and feature; part of the time-weighted NDCG
LONGEST_ARTICLE_WORDS = 50_000
LONGEST_TITLE, LONGEST_SUMMARY = 500, 10_000


@dataclass(frozen=True)
class Rule:
    """A rule for the rows of a table. Rows that break a `block` rule are quarantined, and above a cap the run stops.

    A lesser severity is only reported. `holds` is the kind of rule, `limits` its parameters (of `as_written`, an
    expectation of Great Expectations as JSON; of `as_usual`, the names of suite parameters that hold what earlier days
    teach); a null value breaks only `not_null`. `spans` says whether the row alone
    decides or other rows too; of two copies, the one that keeps the rules of the first kind stays. `about` names the
    source column when `column` is computed by the queries in `include/validation/sql/duckdb/`. A `private` rule has its
    own cap, and its findings are never shown.
    """

    code: str
    title: str
    column: str
    holds: Literal[
        "not_null", "between", "one_of", "is_true", "matches", "lacks", "no_longer_than", "as_written", "as_usual"
    ]
    limits: tuple[Any, ...] = ()
    severity: Severity = "block"
    about: str = ""
    spans: Literal["row", "window"] = "row"
    private: bool = False


@dataclass(frozen=True)
class SourceTable:
    """One view of the contract. `day_column` splits it into files; `key` names a row in messages.

    An `optional` column may be empty in every row: then the publisher does not deliver it, and its rules do not apply.
    As soon as one row has a value, the column is treated like the others.
    """

    name: str
    key: str
    day_column: str
    columns: pa.Schema
    rules: tuple[Rule, ...]
    optional: frozenset[str] = frozenset()


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
    optional=frozenset({"region", "plan", "interests"}),
    rules=(
        Rule("SUB101", "reader_id is there", "reader_id", "not_null"),
        Rule("SUB102", "reader_id is unique", "is_first_of_id", "is_true", spans="window"),
        Rule("SUB103", "region is there", "region", "not_null", severity="warn"),
        Rule("SUB104", "signed_up_at is there", "signed_up_at", "not_null"),
        Rule("SUB105", "signed_up_at is plausible", "is_signed_up_plausibly", "is_true", severity="warn"),
        Rule("SUB106", "region is a plain name", "region", "matches", (text.PLAIN_NAME,), severity="warn"),
        Rule("SUB107", "plan is a plain name", "plan", "matches", (text.PLAIN_NAME,), severity="warn"),
        Rule("SUB108", "signed_up_at lies before 2100", "is_signed_up_by_2100", "is_true"),
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
    optional=frozenset({"title", "summary", "category", "publisher", "language", "word_count", "updated_at"}),
    rules=(
        Rule("ART101", "article_id is there", "article_id", "not_null"),
        Rule("ART102", "article_id is unique", "is_first_of_id", "is_true", spans="window"),
        Rule("ART103", "title is there", "title", "not_null"),
        Rule("ART104", "category is there", "category", "not_null"),
        Rule("ART105", "published_at is there", "published_at", "not_null"),
        Rule("ART106", "word_count is plausible", "word_count", "between", (1, LONGEST_ARTICLE_WORDS)),
        Rule("ART107", "is_flagged is there", "is_flagged", "not_null"),
        Rule("ART108", "ingested_at is there", "ingested_at", "not_null"),
        Rule("ART109", "title says something", "title", "matches", (text.SAYS_SOMETHING,)),
        Rule("ART110", "title is of a title's length", "title", "no_longer_than", (LONGEST_TITLE,)),
        Rule("ART111", "title is undamaged", "title", "lacks", (text.DAMAGE,)),
        Rule("ART112", "title has no control characters", "title", "lacks", (text.CONTROL_CHARACTERS,)),
        Rule("ART113", "title has no markup", "title", "lacks", (text.MARKUP,)),
        Rule("ART114", "summary is of a summary's length", "summary", "no_longer_than", (LONGEST_SUMMARY,)),
        Rule("ART115", "summary is undamaged", "summary", "lacks", (text.DAMAGE,)),
        Rule("ART116", "summary has no control characters", "summary", "lacks", (text.CONTROL_CHARACTERS,)),
        Rule("ART117", "summary has no markup", "summary", "lacks", (text.MARKUP,)),
        Rule("ART118", "category is a plain name", "category", "matches", (text.CATEGORY_NAME,)),
        Rule("ART119", "category is undamaged", "category", "lacks", (text.DAMAGE,)),
        Rule("ART120", "language is an ISO 639 code", "language", "matches", (text.LANGUAGE_CODE,)),
        Rule("ART121", "published_at is plausible", "is_published_plausibly", "is_true"),
        Rule("ART122", "updated_at is not before published_at", "is_updated_in_order", "is_true", about="updated_at"),
        Rule("ART123", "delivered at most a month ahead", "is_received_plausibly", "is_true"),
        Rule("ART124", "publisher is there", "publisher", "not_null", severity="warn"),
        Rule("ART125", "publisher is a plain name", "publisher", "matches", (text.PLAIN_NAME,)),
        Rule("ART126", "title has no HTML entities", "title", "lacks", (text.ENTITIES,), severity="warn"),
        Rule("ART127", "ingested_at lies before 2100", "is_received_by_2100", "is_true"),
        Rule("PII101", "no mail address in a title", "title", "lacks", (text.MAIL_ADDRESS,), private=True),
        Rule("PII102", "no mail address in a summary", "summary", "lacks", (text.MAIL_ADDRESS,), private=True),
        Rule("PII103", "no phone number in a title", "title", "lacks", (text.PHONE_NUMBER,), private=True),
        Rule("PII104", "no phone number in a summary", "summary", "lacks", (text.PHONE_NUMBER,), private=True),
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
    optional=frozenset({"dwell_seconds", "position", "surface", "batch_id", "session_id"}),
    rules=(
        Rule("EVT101", "event_id is there", "event_id", "not_null"),
        Rule("EVT102", "event_id is unique", "is_first_of_id", "is_true", spans="window"),
        Rule("EVT103", "kind is known", "kind", "one_of", KINDS),
        Rule("EVT104", "kind is there", "kind", "not_null"),
        Rule("EVT105", "reader is a subscriber", "is_reader_known", "is_true", spans="window"),
        Rule("EVT106", "article exists", "is_article_known", "is_true", spans="window"),
        Rule("EVT107", "dwell_seconds is plausible", "dwell_seconds", "between", (0.0, LONGEST_READ_SECONDS)),
        Rule("EVT108", "a read says how long", "has_dwell_if_read", "is_true", about="dwell_seconds"),
        Rule("EVT109", "position is plausible", "position", "between", (1, 1000)),
        Rule("EVT110", "read after it was published", "is_after_publishing", "is_true", spans="window"),
        Rule("EVT111", "ingested_at is there", "ingested_at", "not_null"),
        Rule("EVT112", "occurred_at is there", "occurred_at", "not_null"),
        Rule("EVT113", "occurred_at is not in the future", "is_before_end", "is_true", spans="window"),
        Rule("EVT114", "received after it happened", "is_received_in_order", "is_true"),
        Rule("EVT115", "occurred_at is not long ago", "is_after_start", "is_true", spans="window"),
        Rule("EVT116", "no copy under another id", "is_first_of_content", "is_true", spans="window"),
        Rule(
            "EVT117", "dwell_seconds fits the article", "is_dwell_fitting", "is_true",
            about="dwell_seconds", spans="window",
        ),
        Rule("EVT118", "an impression takes no time", "is_dwell_free_if_shown", "is_true", about="dwell_seconds"),
        Rule(
            "EVT119", "a click says its position", "has_position_if_clicked", "is_true",
            severity="info", about="position",
        ),
        Rule("EVT120", "surface is a plain name", "is_surface_plain", "is_true", about="surface"),
        Rule("EVT121", "batch_id is a plain name", "is_batch_plain", "is_true", about="batch_id"),
        Rule("EVT122", "ingested_at lies before 2100", "is_received_by_2100", "is_true"),
    ),
)  # fmt: skip

TABLES = (SUBSCRIBERS, ARTICLES, READING_EVENTS)

# PostgreSQL types that convert to ours without loss; `doctor` and the extract report all others.
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
