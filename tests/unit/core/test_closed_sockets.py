"""A unit test that reaches for a server fails by itself, wherever it runs."""

from __future__ import annotations

import socket
import urllib.request

import pytest


@pytest.mark.parametrize("connect", ["connect", "connect_ex"])
@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, ("127.0.0.1", 9)), (socket.AF_INET6, ("::1", 9))], ids=["IPv4", "IPv6"]
)
def test_a_connection_over_the_network_is_refused(connect, family, address):
    with socket.socket(family) as client, pytest.raises(pytest.fail.Exception, match="unit tests reach no server"):
        getattr(client, connect)(address)


def test_code_that_expects_a_server_to_be_away_cannot_hide_that_it_asked():
    with pytest.raises(pytest.fail.Exception):
        urllib.request.urlopen("http://127.0.0.1:9", timeout=1)


def test_a_socket_in_the_file_system_stays_open(tmp_path):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
