"""Answers of the community server, as its web framework writes them.

    in order, compact, a line end   what `jsonify` makes: rooms, inbox, reactions
    as given, with blanks           posts and batches, in which bytes become base64
    plain text, a page, nothing     refusals and 304

A member of a batch keeps its value, so that the batch can embed it.
Source: session-pysogs: sogs/utils.py, sogs/routes/general.py; Flask's defaults.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire.json_text import python_json
from sessionsim.protocol.wire.v4 import BYTES_TYPE, JSON_TYPE, TEXT_TYPE

_PAGE_TYPE: Final = "text/html; charset=utf-8"
# Source: werkzeug: exceptions.py; the phrases of Python's http module.
_TITLES: Final = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}


class Reply(NamedTuple):
    """An answer and, if it is JSON, the value in it; `is_json` tells a null from none."""

    answer: ServerAnswer
    value: Any = None
    is_json: bool = False


class Refused(RemoteProtocolError):
    """A request that gets an error. Args: reply: what the client is told."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"refused with {reply.answer.status}")
        self.reply = reply


def seconds(unix_us: int) -> float:
    """Give a time as the wire has it."""
    return unix_us / US_PER_S


def jsonify(value: Any, status: int = 200) -> Reply:
    """Answer with JSON in alphabetical order."""
    body = python_json(value, compact=True, in_order=True) + b"\n"
    return Reply(ServerAnswer(status, {"content-type": JSON_TYPE}, body), value, True)


def as_given(value: Any, status: int = 200) -> Reply:
    """Answer with JSON in the order given; bytes in lists and objects become base64."""
    value = with_base64(value)
    return Reply(ServerAnswer(status, {"content-type": JSON_TYPE}, python_json(value)), value, True)


def with_base64(value: Any) -> Any:
    """Replace bytes by base64 text; the value is ours and no deeper than an answer is."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [with_base64(item) for item in value]
    if isinstance(value, dict):
        return {key: with_base64(item) for key, item in value.items()}
    return value


def text(status: int, words: str) -> Reply:
    """Answer with plain text."""
    return Reply(ServerAnswer(status, {"content-type": TEXT_TYPE}, words.encode("utf-8", "replace")))


def said(status: int, words: str) -> Reply:
    """Answer with the words of an error of the server's own; the framework calls them HTML."""
    return Reply(ServerAnswer(status, {"content-type": _PAGE_TYPE}, words.encode("utf-8", "replace")))


def page(status: int) -> Reply:
    """Answer with an error page. Assumption: its title alone; the framework adds a sentence of 100 bytes."""
    title = f"{status} {_TITLES[status]}"
    body = f"<!doctype html>\n<html lang=en>\n<title>{title}</title>\n"
    return Reply(ServerAnswer(status, {"content-type": _PAGE_TYPE}, body.encode()))


def raw(blob: bytes, headers: Mapping[str, str]) -> Reply:
    """Answer with bytes."""
    return Reply(ServerAnswer(200, {"content-type": BYTES_TYPE, **headers}, blob))


NOT_MODIFIED: Final = Reply(ServerAnswer(304, {}, b""))
