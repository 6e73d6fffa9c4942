"""Pages for people: everything shown, nothing executed, never half written."""

from __future__ import annotations

from include.core.checks import Check
from include.core.html import Drawn, Link, bars, check_table, lines, page, save, table

HOSTILE = "<script>alert(1)</script>"


def test_what_comes_from_data_cannot_become_markup():
    check = Check("X1", HOSTILE, HOSTILE, "block", "failed", None, ">= 1", HOSTILE)
    html = page(HOSTILE, HOSTILE, [(HOSTILE, table((HOSTILE,), [(HOSTILE,)]) + check_table([check]))])
    assert "<script" not in html + bars([(HOSTILE, 1.0, HOSTILE)], "x")


def test_a_blocking_check_that_failed_stands_out():
    failed = Check("X1", "t", "s", "block", "failed", None, ">= 1", "s")
    noted = Check("X2", "t", "s", "warn", "failed", None, ">= 1", "s")
    assert check_table([failed]).count('class="failed"') == 1
    assert check_table([noted]).count('class="failed"') == 0


def test_the_longest_bar_is_full_and_the_others_in_proportion():
    html = bars([("a", 2.0, "2"), ("b", 1.0, "1")], ours="a")
    assert "width:100.0%" in html
    assert "width:50.0%" in html


def test_who_listens_to_a_page_hears_no_nameless_column_and_what_a_chart_shows():
    assert "<th></th>" not in table(("", "value"), [("age", 1)])
    html = lines(["1 May", "2 May"], {"v1": [1.0, 2.0], "<v2>": [2.0, 1.0]})
    assert 'role="img" aria-label="v1, &lt;v2&gt;: 1 May to 2 May"' in html
    assert 'class="wide" tabindex="0"' in html, "a part that scrolls is reached by keyboard"


def test_numbers_are_written_as_people_write_them():
    html = table(("", "n"), [("a", 40.0), ("b", 1085.0), ("c", 0.2252), ("d", 1085)])
    assert [part.split("<")[0] for part in html.split('data-name="n">')[1:]] == ["40", "1,085", "0.2252", "1,085"]


def test_links_and_drawings_stand_in_cells_and_a_title_cannot_act_in_them():
    html = table(("",), [(Link(HOSTILE, 'a"b'),), (Drawn("<svg></svg>"),)])
    assert "<svg></svg>" in html
    assert "<script" not in html
    assert 'href="a&#34;b"' in html


def test_bars_of_nothing_are_no_error():
    assert "width:0.0%" in bars([("a", 0.0, "0")], ours="a")


def test_a_saved_page_replaces_the_old_one_and_leaves_no_draft(tmp_path):
    for html in ("old", "new"):
        save(tmp_path / "deep" / "page.html", html)
    assert [(file.name, file.read_text()) for file in (tmp_path / "deep").iterdir()] == [("page.html", "new")]
