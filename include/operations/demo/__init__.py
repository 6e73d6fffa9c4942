"""The demo's own services: a newsroom that plays the publisher, and a mailbox that shows every mail."""
