"""The HTML part of a mail: the same words as its text, with links, and nothing that acts."""

from __future__ import annotations

from html import unescape

from include.alerts.letter import as_html

BODY = """What broke
recommend failed at score (as of 2026-11-20 04:00 UTC).
<b>bold</b> & so on, see http://airflow/a?b=1&c=2.

Next step
Read `bin/daybreak logs mlflow`, start it.

Links
Run: http://airflow/run
Runbook: http://airflow/daybreak/runbook#service-down
"""


def page():
    return as_html("[page] recommend failed at <score>", BODY)


def test_the_urgency_is_a_badge_and_the_title_a_heading():
    assert ">page</span>" in page()
    assert ">recommend failed at &lt;score&gt;</h1>" in page()
    assert ">No mark</h1>" in as_html("No mark", BODY)


def test_a_text_of_strangers_is_shown_and_never_run():
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; so on" in page()
    assert "<b>" not in page()


def test_an_address_in_a_sentence_is_a_link_without_the_full_stop():
    assert (
        '<a href="http://airflow/a?b=1&amp;c=2" target="_blank" style="color:#0b5cad">http://airflow/a?b=1&amp;c=2</a>.'
        in page()
    )


def test_the_section_of_links_is_a_row_of_buttons():
    assert (
        '<a href="http://airflow/daybreak/runbook#service-down" target="_blank" style="display:inline-block' in page()
    )
    assert ">Runbook</a>" in page()


def test_a_command_is_shown_as_code():
    assert ">bin/daybreak logs mlflow</code>, start it." in page()


def test_every_word_of_the_text_is_in_the_page():
    text = unescape(page())
    assert [line for line in BODY.splitlines() if line and "`" not in line and ": http" not in line and "&" not in line
            and line not in text] == []  # fmt: skip
