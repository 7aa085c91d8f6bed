"""Web sites: pages and pictures of the size that their addresses say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionsim.core.columns import Transport
from sessionsim.protocol.machine import SEND
from sessionsim.protocol.servers.web import HEAD, WebSite

HTTPS = int(Transport.HTTPS)


@pytest.mark.parametrize(
    ("path", "status", "size"),
    [
        (b"/page/aaa", 200, 700),
        (b"/page/", 200, 700),
        (b"/picture/40", 200, 40),
        (b"/picture/0", 200, 0),
        (b"/picture/10000001", 404, 0),
        (b"/picture/-1", 404, 0),
        (b"/picture/4\n", 404, 0),
        (b"/", 404, 0),
        (b"", 404, 0),
    ],
)
def test_an_address_says_what_lies_there(path: bytes, status: int, size: int) -> None:
    ((kind, dst, conn, exchange, told, body, note),) = WebSite(700).receive(9, HTTPS, 3, HEAD, path, 0)
    assert (kind, dst, conn, exchange, note) == (SEND, 9, HTTPS, 3, 0)
    assert (told, len(body)) == (status, size)


def test_it_answers_nothing_else() -> None:
    site = WebSite(700)
    for conn, head in ((HTTPS, "onion_req"), (int(Transport.QUIC), HEAD), (HTTPS, 200)):
        assert site.receive(9, conn, 3, head, b"/page/", 0) == ()
    assert (
        site.start(0) == site.wake(0) == site.command(("x",), 0) == site.failed(9, 0, 1, "refused", 0) == ()
    )


@given(st.binary(max_size=40))
def test_any_bytes_get_an_answer(path: bytes) -> None:
    assert len(WebSite(700).receive(9, HTTPS, 3, HEAD, path, 0)) == 1
