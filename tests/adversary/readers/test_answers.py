"""Answers of servers opened under the layer of their request, written by hand."""

from __future__ import annotations

import base64

from sessionsim.adversary.names import names_in
from sessionsim.adversary.readers.answers import read_answer
from sessionsim.adversary.terms import SERVER_V3
from sessionsim.protocol.crypto.layer import GcmLayer

ACCOUNT = "05" + "ab" * 32
LAYER = GcmLayer(bytes(32), b"", b"")


def v3(plain: bytes) -> bytes:
    return base64.b64encode(LAYER.seal(plain, bytes(24)))


def test_what_stands_beside_the_status_of_a_failure_of_v3_is_looked_at() -> None:
    answer = read_answer(LAYER, SERVER_V3, v3(b'{"status_code":404,"debug":"%b"}' % ACCOUNT.encode()), 1)
    assert answer is not None
    assert [result.code for result in answer.results] == [404]
    assert names_in(answer.beside, ()) == [f"account:{ACCOUNT}"]


def test_a_failure_of_v3_without_more_has_nothing_beside_it() -> None:
    answer = read_answer(LAYER, SERVER_V3, v3(b'{"status_code":404}'), 1)
    assert answer is not None
    assert answer.beside == {"headers": {}}
