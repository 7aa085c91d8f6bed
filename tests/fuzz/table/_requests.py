"""Requests to servers in lines of text, so that their parts are varied apart; and what an answer must be."""

from __future__ import annotations

from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from tests.fuzz.table._keys import text_of


def lines_of(request: ServerRequest) -> bytes:
    """Write a request in lines: method, endpoint, headers, an empty line, body."""
    lines = (
        request.method,
        request.endpoint,
        *(f"{name}: {value}" for name, value in request.headers.items()),
    )
    return "\n".join(lines).encode() + b"\n\n" + request.body


def request_of(raw: bytes) -> ServerRequest:
    """Read what `lines_of` wrote."""
    head, _, body = raw.partition(b"\n\n")
    lines = text_of(head).split("\n")
    headers = dict(line.partition(": ")[::2] for line in lines[2:])
    return ServerRequest(lines[0], lines[1] if len(lines) > 1 else "", headers, body)


def check_answer(answer: ServerAnswer) -> ServerAnswer:
    """Hold an answer against what a server may send."""
    assert 100 <= answer.status < 600
    assert type(answer.body) is bytes
    for name, value in answer.headers.items():
        assert "\n" not in name + value
    return answer
