"""Unit tests reach no server: a connection over the network fails the test that makes it.

It is refused where Python opens sockets; PostgreSQL's own client library is not seen here.
"""

from __future__ import annotations

import socket

import pytest

NETWORK = {socket.AF_INET, socket.AF_INET6}


@pytest.fixture(autouse=True)
def closed_sockets(monkeypatch):
    """No connection but to a socket in the file system."""
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _refusing(getattr(socket.socket, name)))


def _refusing(connect):
    def refuse(self, address):
        if self.family in NETWORK:
            pytest.fail(f"{address} was asked for a connection: unit tests reach no server")
        return connect(self, address)

    return refuse
