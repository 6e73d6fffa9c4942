"""The corpus of corrupt rows: what is wrong with each, and the rules it breaks."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from tests.worlds import tiny

AT = tiny.AS_OF - timedelta(days=2, hours=3)
LATELY = tiny.AS_OF - timedelta(hours=5)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONG_AGO = datetime(1970, 1, 21, tzinfo=UTC)  # seconds taken for microseconds
FAR = "56000-01-01 00:00Z"  # milliseconds taken for seconds
READER = tiny._READER | {"signed_up_at": AT}
ARTICLE = tiny._ARTICLE
SHOWN = tiny._EVENT
CLICK = SHOWN | {"kind": "click", "surface": "clicked"}
READ = SHOWN | {"kind": "read", "dwell_seconds": 30.0}

# what is wrong -> (what differs from a good row, the rules it breaks). Without rules the row is harmless and stays.
ARTICLES = {
    "no id": ({"article_id": None}, {"ART101"}),
    "no title": ({"title": None}, {"ART103"}),
    "empty title": ({"title": ""}, {"ART109"}),
    "a title of blanks": ({"title": " \t\u00a0\u2003"}, {"ART109"}),
    "gigantic title": ({"title": "news " * 200_000}, {"ART110"}),
    "gigantic summary": ({"summary": "a" * 2_000_000}, {"ART114"}),
    "replacement character in title": ({"title": "S\ufffdo Paulo"}, {"ART111"}),
    "UTF-8 read as Latin-1 in title": ({"title": "EleiÃ§Ãµes em SÃ£o Paulo"}, {"ART111"}),
    "UTF-8 read as Windows-1252 in summary": ({"summary": "It wasnâ€™t the mayor"}, {"ART115"}),
    "mojibake in category": ({"category": "polÃ­tica"}, {"ART119"}),
    "HTML in title": ({"title": "<b>Breaking</b> news"}, {"ART113"}),
    "a script in title": ({"title": "News <script>alert(1)</script>"}, {"ART113"}),
    "an unclosed tag in summary": ({"summary": "News <img src=x onerror=alert(1)"}, {"ART117"}),
    "control characters in title": ({"title": "News\x1b[31m red\x07"}, {"ART112"}),
    "control characters in summary": ({"summary": "News\x00".replace("\x00", "\x02")}, {"ART116"}),
    "a right-to-left override in title": ({"title": "News \u202e swen"}, {"ART112"}),
    "no category": ({"category": None}, {"ART104"}),
    "HTML in category": ({"category": "<i>sport</i>"}, {"ART118"}),
    "a blank category": ({"category": "  "}, {"ART118"}),
    "title and category swapped": (
        {"title": "sport", "category": "The harbour opens a month early, and the mayor explains why"}, {"ART118"}),
    "language as a word": ({"language": "english"}, {"ART120"}),
    "language that no one speaks": ({"language": "xx"}, {"ART120"}),
    "language and category swapped": ({"language": "science", "category": "en"}, {"ART120"}),
    "negative words": ({"word_count": -300}, {"ART106"}),
    "far too many words": ({"word_count": 9_000_000}, {"ART106"}),
    "no flag": ({"is_flagged": None}, {"ART107"}),
    "no published_at": ({"published_at": None}, {"ART105"}),
    "no ingested_at": ({"ingested_at": None}, {"ART108"}),
    "updated before published": ({"updated_at": AT - 9 * DAY}, {"ART122"}),
    "received in seconds since 1970": ({"ingested_at": LONG_AGO}, {"ART123"}),
    "published far in the future": (
        {"published_at": tiny.AS_OF + 400 * DAY, "updated_at": None, "ingested_at": LATELY}, {"ART123"}),
    "received in milliseconds since 1970": ({"ingested_at": FAR}, {"ART127"}),
    "published and received in milliseconds since 1970": (
        {"published_at": FAR, "updated_at": None, "ingested_at": FAR}, {"ART127"}),
    "published and received in seconds since 1970": (
        {"published_at": LONG_AGO, "updated_at": None, "ingested_at": LONG_AGO}, {"ART121"}),
    "published never": ({"published_at": None, "ingested_at": "infinity"}, {"ART105", "ART127"}),
    "a mail address in title": ({"title": "Write to jane.doe@example.org"}, {"PII101"}),
    "a mail address in summary": ({"summary": "Contact: press+desk@news.example.com."}, {"PII102"}),
    "a phone number in title": ({"title": "Call 555-867-5309 now"}, {"PII103"}),
    "a phone number in summary": ({"summary": "WhatsApp +55 11 91234-5678"}, {"PII104"}),
    "SQL in title": ({"title": "'); drop table newsroom.articles; --"}, set()),
    "numbers in title": ({"title": "2-1 in 2026: 1,000,000 saw it, 20 000 000 euros, 10.5 % on 2026-11-20"}, set()),
    "a category never seen": ({"category": "gardening"}, set()),
    "a title in another script": ({"title": "Новости дня — 今日のニュース — أخبار"}, set()),
    "capitals in quotation marks": ({"title": "“AMANHÔ, diz o prefeito"}, set()),
}  # fmt: skip
EVENTS = {
    "no id": (SHOWN | {"event_id": None}, {"EVT101"}),
    "no reader": (SHOWN | {"reader_id": None}, {"EVT105"}),
    "no article": (SHOWN | {"article_id": None}, {"EVT106"}),
    "unknown reader": (SHOWN | {"reader_id": 800_000}, {"EVT105"}),
    "unknown article": (SHOWN | {"article_id": 800_000}, {"EVT106"}),
    "reader and article swapped": (SHOWN | {"reader_id": 1001, "article_id": 7}, {"EVT105", "EVT106"}),
    "unknown kind": (SHOWN | {"kind": "teleported"}, {"EVT103"}),
    "no kind": (SHOWN | {"kind": None}, {"EVT104"}),
    "kind and surface swapped": (SHOWN | {"kind": "front", "surface": "impression"}, {"EVT103"}),
    "dwell that is no number": (READ | {"dwell_seconds": math.nan}, {"EVT107"}),
    "infinite dwell": (READ | {"dwell_seconds": math.inf}, {"EVT107"}),
    "negatively infinite dwell": (READ | {"dwell_seconds": -math.inf}, {"EVT107"}),
    "negative dwell": (READ | {"dwell_seconds": -5.0}, {"EVT107"}),
    "dwell in milliseconds": (READ | {"dwell_seconds": 30_000.0}, {"EVT107"}),
    "dwell far beyond the article": (READ | {"dwell_seconds": 10_000.0}, {"EVT117"}),
    "a read without dwell": (READ | {"dwell_seconds": None}, {"EVT108"}),
    "an impression with dwell": (SHOWN | {"dwell_seconds": 12.0}, {"EVT118"}),
    "a click without position": (CLICK | {"position": None}, set()),
    "position 0": (SHOWN | {"position": 0}, {"EVT109"}),
    "a negative position": (SHOWN | {"position": -3}, {"EVT109"}),
    "an absurd position": (SHOWN | {"position": 32_000}, {"EVT109"}),
    "no time": (SHOWN | {"occurred_at": None, "ingested_at": LATELY}, {"EVT112"}),
    "in the future": (SHOWN | {"occurred_at": tiny.AS_OF + 2 * DAY, "ingested_at": LATELY}, {"EVT113", "EVT114"}),
    "in seconds since 1970": (
        SHOWN | {"occurred_at": LONG_AGO, "ingested_at": LATELY}, {"EVT110", "EVT115"}),
    "in local time": (SHOWN | {"occurred_at": AT + 3 * HOUR, "ingested_at": AT + MINUTE}, {"EVT114"}),
    "received before it happened": (SHOWN | {"ingested_at": AT - 6 * HOUR}, {"EVT114"}),
    "received in seconds since 1970": (SHOWN | {"ingested_at": LONG_AGO}, {"EVT114"}),
    "never received": (SHOWN | {"ingested_at": None}, {"EVT111"}),
    "received in milliseconds since 1970": (SHOWN | {"ingested_at": FAR}, {"EVT122"}),
    "received at infinity": (SHOWN | {"ingested_at": "infinity"}, {"EVT122"}),
    "both times in milliseconds since 1970": (
        SHOWN | {"occurred_at": FAR, "ingested_at": FAR}, {"EVT113", "EVT122"}),
    "both times in seconds since 1970": (
        SHOWN | {"occurred_at": LONG_AGO, "ingested_at": LONG_AGO}, {"EVT110", "EVT115"}),
    "both times minus infinity": (
        SHOWN | {"occurred_at": "-infinity", "ingested_at": "-infinity"}, {"EVT110", "EVT115"}),
    "happens never, received nobody knows when": (
        SHOWN | {"occurred_at": "infinity", "ingested_at": None}, {"EVT111", "EVT113"}),
    "before the article was published": (SHOWN | {"article_id": 2000}, {"EVT110"}),
    "HTML in surface": (SHOWN | {"surface": "<script>"}, {"EVT120"}),
    "gigantic surface": (SHOWN | {"surface": "s" * 100_000}, {"EVT120"}),
    "control characters in batch_id": (SHOWN | {"batch_id": "b\x01"}, {"EVT121"}),
    "a clock four minutes fast": (SHOWN | {"occurred_at": AT + 4 * MINUTE, "ingested_at": AT}, set()),
}  # fmt: skip
SUBSCRIBERS = {
    "no id": ({"reader_id": None}, {"SUB101"}),
    "a second row of one reader": ({"reader_id": 7}, {"SUB102"}),
    "signed up in milliseconds since 1970": ({"reader_id": 9_001, "signed_up_at": FAR}, {"SUB108"}),
    "signed up at infinity": ({"reader_id": 9_002, "signed_up_at": "infinity"}, {"SUB108"}),
    "nobody knows when": ({"reader_id": 9_003, "signed_up_at": None}, {"SUB104"}),
}
FIRST = 700_000  # where the keys of these rows begin


def rows_of(cases, base):
    """The rows to add: each case with a key of its own, and otherwise unlike all others."""
    key = "article_id" if base is ARTICLE else "event_id"
    for number, (differs, _) in enumerate(cases.values()):
        own = {key: FIRST + number} if base is ARTICLE else {key: FIRST + number, "session_id": FIRST + number}
        given = {key: None} if key in differs and differs[key] is None else {}
        yield base | differs | own | given
