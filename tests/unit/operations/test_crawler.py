"""The crawler of the end-to-end tests finds what leads nowhere."""

from __future__ import annotations

import httpx

from tests.parts.crawler import MOST_OF_A_KIND, crawl

PAGES = {
    "/": '<a href="one">1</a><a href="/gone">2</a><a href="/one#there">3</a><a href="/one#missing">4</a>'
    '<a href="https://elsewhere/x">5</a><iframe src="/moved"></iframe><a href="#top">6</a>',
    "/one": '<h2 id="there">Here</h2><a href="/">back</a>',
}


def answer(request):
    if request.url.path == "/moved":
        return httpx.Response(307, headers={"location": "/one#lost"})
    text = PAGES.get(request.url.path)
    return httpx.Response(200 if text else 404, html=text or "")


def look(starts=("http://site/",)):
    with httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=True) as browser:
        return crawl(starts, browser.get, lambda address: address.startswith("http://site/"))


def test_every_link_is_followed_once_and_what_is_missing_is_named_with_its_page():
    visited, broken = look()
    assert sorted(visited) == ["http://site/", "http://site/gone", "http://site/moved", "http://site/one"]
    assert broken == [
        "http://site/ links to http://site/gone: 404",
        "http://site/ links to http://site/one#missing: no #missing there",
        "http://site/ links to http://site/moved: no #lost there",
    ]


def test_of_pages_that_are_alike_some_are_followed(monkeypatch):
    many = "".join(f'<a href="/readers/{number}">' for number in range(MOST_OF_A_KIND + 5))
    monkeypatch.setitem(PAGES, "/many", many)
    visited, _ = look(["http://site/many"])
    assert len(visited) == 1 + MOST_OF_A_KIND
