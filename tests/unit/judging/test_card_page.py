"""A card is the same as text and as a page, and what a publisher wrote cannot act in either."""

from __future__ import annotations

from include.judging.card_page import Table, as_html, as_markdown

SECTIONS = [
    ("Data", Table(("", "rows"), (("articles", 1200), ("share", 0.5), ("a|b <script>x</script>", "two\nlines")))),
    ("Limits", ("It knows <nothing>.", "It was judged once.")),
]


def test_a_card_as_text():
    assert as_markdown("Model card: v1", "Good enough.", SECTIONS) == (
        "# Model card: v1\n\nGood enough.\n\n## Data\n\n|  | rows |\n| --- | --- |\n| articles | 1,200 |\n"
        "| share | 0.5 |\n| a\\|b &lt;script>x&lt;/script> | two lines |\n\n"
        "## Limits\n\n- It knows &lt;nothing>.\n- It was judged once.\n"
    )


def test_a_card_as_a_page():
    page = as_html("Model card: v1", "Good enough.", SECTIONS)
    assert "<h1>Model card: v1</h1>" in page
    assert '<td data-name="">articles</td><td class="number" data-name="rows">1,200</td>' in page
    assert "<ul><li>It knows &lt;nothing&gt;.</li><li>It was judged once.</li></ul>" in page
    assert "<script>" not in page
