"""The demo's mail server: takes every mail, delivers none, and shows them on a page. `python -m include.mailbox`.

A real installation sets DAYBREAK_SMTP_HOST to its own server and never runs this.
"""
