"""Numbers and sentences as people write them: 22.5 %, 1,085, +0.0034."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from string import Formatter
from typing import Any

MOST_DIGITS = 9


def write_number(value: float, kind: str, apart_from: float | None = None) -> str:
    """Return the number in its kind's format, with enough digits to differ from `apart_from` unless both are equal."""
    if math.isnan(value):
        return "unknown"
    write, digits = WRITTEN[kind]
    text = write(value, digits)
    while apart_from is not None and value != apart_from and digits < MOST_DIGITS and text == write(apart_from, digits):
        digits += 1
        text = write(value, digits)
    return text


def write_figure(value: float) -> str:
    """Return a number whose kind is not known: 40, 1,085, 0.225."""
    if not math.isfinite(value):
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"


def write_count(count: int, noun: str) -> str:
    """Return how many there are: 1 row, 1,085 rows."""
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def fill_in(text: str, facts: Mapping[str, Any], apart_from: float) -> str:
    """Fill the facts into a sentence such as "{share:share} of {readers:count}"; `apart_from` as in `write_number`."""
    return capital(_Sentence(apart_from).vformat(text, (), facts))


def capital(text: str) -> str:
    """Return the text with a capital first letter, unless it starts with a version such as v4."""
    return text if text[:1] == "v" and text[1:2].isdigit() else text[:1].upper() + text[1:]


def _trimmed(value: float, digits: int) -> str:
    text = f"{round(value, digits) + 0.0:,.{digits}f}"  # never -0
    return text.rstrip("0").rstrip(".") if "." in text else text


def _share(value: float, digits: int) -> str:
    """Return a share in percent; one that is not zero is not written as zero, however small."""
    while value and not round(100 * value, digits) and digits < MOST_DIGITS:
        digits += 1
    return f"{_trimmed(100 * value, digits)} %"


WRITTEN: dict[str, tuple[Callable[[float, int], str], int]] = {
    "change": (lambda value, digits: f"{'+' if value > 0 else ''}{_trimmed(value, digits)}", 2),
    "count": (lambda value, digits: f"{value:,.{digits}f}", 0),
    "gain": (lambda value, digits: f"{value:+.{digits}f}", 4),
    "plain": (_trimmed, 2),
    "points": (lambda value, digits: f"{_trimmed(100 * value, digits)} points", 1),
    "score": (lambda value, digits: f"{value:.{digits}f}", 3),
    "share": (_share, 1),
    "tenths": (lambda value, digits: f"{value:,.{digits}f}", 1),
}


class _Sentence(Formatter):
    def __init__(self, apart_from: float) -> None:
        self.apart_from = apart_from

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "moment":
            return f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else "an unknown moment"
        return write_number(float(value), format_spec, self.apart_from) if format_spec in WRITTEN else str(value)
