"""Percent signs and query strings, against the standard library's."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire import percent

ESCAPED = st.lists(
    st.sampled_from(
        ["%", "%C3", "%a9", "%E2%82", "%2f", "%00", "%zz", "a", "é", "+", "&", "=", "/", "\ud800"]
    )
).map("".join)


@given(st.text())
def test_encoding_is_undone(value: str) -> None:
    assert percent.encode(value) == quote(value, safe="", errors="replace")
    assert percent.encode(value, b"/") == quote(value, errors="replace")
    assert percent.decode(percent.encode(value), strict=True) == value


@given(st.one_of(st.text(), ESCAPED))
def test_decoding(value: str) -> None:
    assert percent.decode(value) == unquote(value)
    try:
        expected = unquote(value, errors="strict")
    except UnicodeDecodeError:
        with pytest.raises(RemoteProtocolError):
            percent.decode(value, strict=True)
    else:
        assert percent.decode(value, strict=True) == expected


@given(st.one_of(st.text(), ESCAPED))
def test_queries(query: str) -> None:
    if query.count("&") < percent.MOST_FIELDS:
        expected = dict(reversed(parse_qsl(query, keep_blank_values=True, errors="replace")))
        assert percent.read_query(query) == expected


def test_queries_by_hand() -> None:
    assert percent.read_query("limit=5&t=r&limit=6&&x&y=") == {"limit": "5", "t": "r", "x": "", "y": ""}
    assert percent.read_query("a%3d=b+c%2B") == {"a=": "b c+"}
    assert percent.read_query("") == {}
    assert len(percent.read_query("&".join(f"{n}" for n in range(64)))) == 64
    with pytest.raises(RemoteProtocolError):
        percent.read_query("&" * 64)
