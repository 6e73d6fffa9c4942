"""The demo's mail server: it accepts every mail, delivers none and shows them on a page.

It runs as `python -m include.operations.demo.mailbox`. A real installation sets DAYBREAK_SMTP_HOST to its own server
and does not run it.
"""
