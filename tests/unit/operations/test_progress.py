"""Progress on standard error: it moves while a stage works, on a terminal and in a log."""

from __future__ import annotations

import time

import pytest

from include.core.references import Reference
from include.operations.cli import progress
from tests.unit.operations.test_answer import Terminal
from tests.worlds.tiny import AS_OF


def test_a_log_gets_a_line_at_the_beginning_and_then_every_some_seconds(monkeypatch, capsys):
    monkeypatch.setattr(progress, "ELSEWHERE_SECONDS", 0.05)
    with progress.ticking("judge", 80.0):
        time.sleep(0.5)
    first, *later = capsys.readouterr().err.splitlines()
    assert first == "judge …"
    assert 2 <= len(later) <= 10
    assert later[-1].split()[0] == "judge"
    assert later[-1].endswith("s, usually 80 s …")


def test_a_terminal_has_one_line_that_is_rewritten_and_gone_at_the_end(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress, "ON_TERMINAL_SECONDS", 0.05)
    with progress.ticking("judge"):
        time.sleep(0.3)
        progress.say("trial 1: 0.7")
    shown = stream.getvalue()
    assert shown.count("\n") == 1
    assert shown.count("\r\x1b[Kjudge") >= 3
    assert "\r\x1b[Ktrial 1: 0.7\n" in shown
    assert shown.endswith(progress.CLEAR_LINE)


def test_it_ends_when_the_work_fails(monkeypatch, capsys):
    monkeypatch.setattr(progress, "ELSEWHERE_SECONDS", 0.05)
    with pytest.raises(ValueError, match="broken"), progress.ticking("judge"):
        raise ValueError("broken")
    told = capsys.readouterr().err
    time.sleep(0.2)
    assert (told, capsys.readouterr().err) == ("judge …\n", "")


@pytest.mark.parametrize(
    ("champion", "changed", "told"),
    [("3", True, "v3 is champion"), ("1", False, "not promoted"), ("None", False, "not promoted")],
)
def test_a_promotion_that_was_refused_does_not_read_like_one(champion, changed, told):
    made = Reference("champion", champion, "", AS_OF, "f", (), {"changed": changed})
    assert progress._tell_result(made) == told
