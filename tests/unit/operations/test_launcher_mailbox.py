"""The demo mailbox keeps every mail whole and shows it without running anything in it."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage

import httpx
import pytest

from include.operations.demo.mailbox.page import page
from include.operations.demo.mailbox.store import Mailbox


@pytest.fixture
def mailbox(tmp_path):
    return Mailbox(tmp_path / "mail")


class Browser:
    """Asks the page for things, without a network."""

    def __init__(self, application):
        self.transport = httpx.ASGITransport(application)

    def get(self, path, headers=None):
        async def ask():
            async with httpx.AsyncClient(transport=self.transport, base_url="http://127.0.0.1:8025") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def browser(mailbox):
    return Browser(page(mailbox))


def a_mail(subject="Late", text="It is late: é\n", html=None):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "daybreak@localhost", "oncall@localhost", subject
    mail["Date"] = "Fri, 20 Nov 2026 03:00:00 +0000"
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    return mail.as_bytes()


def test_mails_are_listed_newest_first_as_json(mailbox, browser):
    first, second = mailbox.keep(a_mail("one")), mailbox.keep(a_mail("two"))
    mails = browser.get("/api/mails").json()
    assert [mail["id"] for mail in mails] == [second, first]
    assert mails[0] == {
        "id": second,
        "from": "daybreak@localhost",
        "to": "oncall@localhost",
        "subject": "two",
        "date": "Fri, 20 Nov 2026 03:00:00 +0000",
        "body": "It is late: é\n",
    }


def test_a_mail_is_stored_byte_for_byte(mailbox):
    content = b"Subject: x\r\n\r\n\xff\x00 not text\r\n"
    assert (mailbox.folder / f"{mailbox.keep(content)}.eml").read_bytes() == content


def test_a_hostile_subject_is_text(mailbox, browser):
    mail_id = mailbox.keep(a_mail("<script>alert(1)</script>"))
    for path in ("/", f"/mails/{mail_id}"):
        assert "<script" not in browser.get(path).text
        assert "&lt;script&gt;" in browser.get(path).text


def test_html_is_shown_in_a_sandbox_that_fetches_nothing(mailbox, browser):
    mail_id = mailbox.keep(a_mail(html="<b>bold</b><script>alert(1)</script>"))
    frame = '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox"'
    assert f'{frame} src="/mails/{mail_id}/html"' in browser.get(f"/mails/{mail_id}").text
    part = browser.get(f"/mails/{mail_id}/html")
    assert "<b>bold</b>" in part.text
    policy = part.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("; sandbox allow-popups allow-popups-to-escape-sandbox")
    assert "allow-scripts" not in policy


def test_a_mail_that_is_no_mail_is_shown_all_the_same(mailbox, browser):
    mailbox.keep(b"Content-Type: text/plain; charset=klingon\r\n\r\nnuqneH\r\n")
    assert "nuqneH" in browser.get("/api/mails").json()[0]["body"]


def test_a_foreign_host_header_is_refused(mailbox, browser):
    mailbox.keep(a_mail())
    assert browser.get("/api/mails", headers={"Host": "evil.example.com"}).status_code == 400


@pytest.mark.parametrize("mail_id", ["..%2F..%2Fdaybreak.env", "20261120T030000.000000Z-deadbeef", "x"])
def test_an_unknown_id_reads_no_file(mailbox, browser, mail_id):
    assert browser.get(f"/mails/{mail_id}").status_code == 404


def test_an_empty_mailbox_says_so(browser):
    assert "No mail yet" in browser.get("/").text
