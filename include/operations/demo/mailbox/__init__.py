"""The demo's mail server: accept every mail, deliver none, show them on a page.

Runs as `python -m include.operations.demo.mailbox`.
A real installation sets DAYBREAK_SMTP_HOST to its own server and never runs this.
"""
