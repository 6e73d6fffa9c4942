"""A line beside the trees: it finds what was planted as a sum, and goes on where nothing was seen."""

from __future__ import annotations

import numpy as np
import pytest

from include.models.kinds.two_stage import line

ROWS = 20_000


@pytest.fixture(scope="module")
def rows():
    """A word of three, and three numbers."""
    random = np.random.default_rng(5)
    return np.column_stack([random.integers(0, 3, ROWS), random.normal(0, 1, (ROWS, 3))]).astype(np.float32)


def at(*places):
    return np.array(places, int)


def fit(rows, stays=None, was_read=None):
    layout = line.make_layout(at(0), at(), at(*range(1, rows.shape[1])))
    usual = np.arange(len(rows)) % 2 == 0
    found = line.fit_lines(
        layout,
        rows,
        usual if was_read is None else was_read,
        rows if stays is not None else rows[:0],
        np.zeros(0) if stays is None else stays,
    )
    return list(found.values())


def find_stays(rows, stays, asked=None):
    return line.add_up(fit(rows, stays), rows if asked is None else asked)[1]


def test_it_finds_sums_of_bent_lines_and_words(rows):
    value = 2 * rows[:, 1] + np.maximum(rows[:, 2], 0) - 3 * (rows[:, 0] == 1)
    assert np.corrcoef(find_stays(rows, value), value)[0, 1] > 0.999


def test_it_goes_on_beyond_what_it_saw(rows):
    far = np.array([[0, 6, 0, 0]], np.float32)
    assert find_stays(rows, rows[:, 1].astype(float), far)[0] == pytest.approx(6, abs=0.1)


def test_it_finds_planted_odds(rows):
    odds = rows[:, 1] - 0.5
    was_read = np.random.default_rng(6).random(ROWS) < 1 / (1 + np.exp(-odds))
    (found,) = line.add_up(fit(rows, was_read=was_read), rows)
    assert np.sqrt(((found - odds) ** 2).mean()) < 0.1


def test_counts_are_taken_by_their_logarithm(rows):
    counts = np.column_stack([rows[:, 0], np.random.default_rng(7).integers(0, 900, ROWS)]).astype(np.float32)
    wanted = np.log1p(counts[:, 1].astype(float))
    lines = line.fit_lines(line.make_layout(at(0), at(1), at()), counts, counts[:, 1] > 50, counts, wanted)
    assert line.add_up(list(lines.values()), counts)[1] == pytest.approx(wanted, abs=0.01)


def test_what_is_unknown_or_always_the_same_does_no_harm(rows):
    odd = rows.copy()
    odd[:, 2], odd[::2, 3] = 4, np.nan
    stays = np.where(np.isnan(odd[:, 3]), 1.0, odd[:, 3])
    assert find_stays(odd, stays)[::2] == pytest.approx(1, abs=0.1)
    assert np.isfinite(find_stays(odd, stays, rows * 1000)).all()


def test_a_word_that_was_never_seen_is_none_of_the_others(rows):
    other = rows[:100].copy()
    other[:, 0] = -1
    assert find_stays(rows, 3.0 * (rows[:, 0] == 1), other) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("answer", [True, False])
def test_where_everything_or_nothing_was_read_there_is_no_line(rows, answer):
    assert line.add_up(fit(rows, was_read=np.full(ROWS, answer)), rows) == []


def test_a_row_alone_is_added_up_as_among_many_to_the_last_bit(monkeypatch):
    random = np.random.default_rng(8)
    rows = np.column_stack([random.integers(-1, 9, 4_000), random.normal(0, 3, (4_000, 32))]).astype(np.float32)
    lines = fit(rows, rows[:, 1].astype(float))
    whole = np.column_stack(line.add_up(lines, rows))
    alone = np.concatenate([np.column_stack(line.add_up(lines, rows[n : n + 1])) for n in range(200)])
    assert np.array_equal(alone, whole[:200])
    monkeypatch.setattr(line, "ROWS_AT_ONCE", 777)
    assert np.array_equal(np.column_stack(line.add_up(lines, rows)), whole)


def test_a_line_is_an_ordinary_pipeline(rows):
    reading, dwell = fit(rows, rows[:, 1].astype(float))
    odds, stays = line.add_up([reading, dwell], rows)
    assert np.array_equal(reading.decision_function(rows), odds)
    assert np.array_equal(dwell.predict(rows), stays)
    names = list(reading[0].get_feature_names_out(["region", "taste", "age_hours", "position"]))
    assert "others__passthrough__taste" in names
