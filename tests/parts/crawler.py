"""A crawler over the links of pages: it follows each once and says which lead nowhere, and from where."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import httpx

MOST_OF_A_KIND = 40  # there are as many readers' pages as readers, and they are alike
ALWAYS_THERE = ("", "top")  # anchors that a browser knows without an element


class Page(HTMLParser):
    """The addresses that a page leads to and the anchors that it has."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set(ALWAYS_THERE)
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        link = given.get("href") if tag in ("a", "link", "area") else given.get("src")
        if link is not None:
            self.links.append(link)


def kind_of(address: str) -> tuple[str, ...]:
    """What a page is about: its host and the folders of its path, without the last part, a name or a number."""
    parts = urlsplit(address)
    return (parts.netloc, *parts.path.strip("/").split("/")[:-1][:3])


def crawl(
    starts: Iterable[str], get: Callable[[str], httpx.Response], is_ours: Callable[[str], bool]
) -> tuple[list[str], list[str]]:
    """Follow every link from these pages; return the addresses that were visited and a line per link to nothing."""
    waiting = deque((start, "the start") for start in starts)
    visited: dict[str, Page | None] = {}
    arrived: dict[str, str] = {}  # address -> the anchor that its redirect names
    kinds: Counter[tuple[str, ...]] = Counter()
    broken = []
    while waiting:
        link, origin = waiting.popleft()
        address, anchor = urldefrag(link)
        if address not in visited:
            if kinds[kind_of(address)] >= MOST_OF_A_KIND:
                continue
            kinds[kind_of(address)] += 1
            answer = get(address)
            arrived[address] = answer.url.fragment
            is_page = "html" in answer.headers.get("content-type", "")
            visited[address] = Page(answer.text) if is_page and answer.status_code < 400 else None
            if answer.status_code >= 400:
                broken.append(f"{origin} links to {link}: {answer.status_code}")
                continue
            here = visited[address]
            for found in here.links if here else ():
                target = urljoin(str(answer.url), found)
                if is_ours(target):
                    waiting.append((target, address))
        page, wanted = visited[address], unquote(anchor or arrived[address])
        if page and wanted not in page.anchors:
            broken.append(f"{origin} links to {link}: no #{wanted} there")
    return [*visited], broken
