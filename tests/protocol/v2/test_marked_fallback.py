from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import aead
from sessionsim.protocol.v2.combiner import fallback_key
from sessionsim.protocol.v2.inner import write_inner
from sessionsim.protocol.v2.marked_fallback import (
    LEAST_BYTES,
    is_marked,
    marked_bytes,
    open_marked,
    seal_marked,
)
from sessionsim.protocol.v2.receiving import BadFormat, NoKeyFits, UnknownVersion, version_of


def sealed(cast: Any, content: bytes = b"content") -> bytes:
    return seal_marked(cast.suite, cast.alice.ed, cast.bob.id, content, cast.raw("secret", 32))


def test_only_the_recipient_opens_it(cast: Any) -> None:
    opened = open_marked(cast.suite, cast.bob, sealed(cast))
    assert (opened.inner.sender, opened.inner.content) == (cast.alice.ed.public, b"content")
    assert opened.key is None
    with pytest.raises(NoKeyFits):
        open_marked(cast.suite, cast.eve, sealed(cast))


def test_it_has_a_marker_and_sizes_of_its_own(cast: Any) -> None:
    # 50 bytes around an inner dict of 114 bytes, digits of the length, and the content.
    assert [len(sealed(cast, bytes(n))) for n in (0, 90, 91, 345, 346)] == [256, 256, 512, 512, 768]
    assert is_marked(sealed(cast))
    assert marked_bytes(0) == LEAST_BYTES == 256
    with pytest.raises(UnknownVersion):  # for the code that is public, it is none
        version_of(sealed(cast))


def test_altered_bytes_are_refused(cast: Any) -> None:
    raw = sealed(cast)
    for place in (2, 40, len(raw) - 1):
        with pytest.raises(NoKeyFits):
            open_marked(cast.suite, cast.bob, raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
    for wrong in (b"\0\2" + raw[2:], raw[:-1], b""):
        with pytest.raises(BadFormat):
            open_marked(cast.suite, cast.bob, wrong)


def test_a_message_that_names_another_recipient_inside_is_not_taken(cast: Any) -> None:
    ephemeral = cast.suite.ephemeral(cast.raw("secret", 32))
    shared = cast.suite.agree(ephemeral, cast.bob.x.public)
    key = fallback_key(shared, cast.bob.x.public, ephemeral.public)
    for recipient, opens in ((cast.bob, True), (cast.eve, False)):
        inner = write_inner(cast.suite, cast.alice.ed, recipient.id, b"x", None).ljust(206, b"\0")
        stored = b"\0\1" + ephemeral.public + aead.seal(inner, key.nonce, key.key)
        if opens:
            assert open_marked(cast.suite, cast.bob, stored).inner.content == b"x"
        else:
            with pytest.raises(BadFormat):
                open_marked(cast.suite, cast.bob, stored)


@given(raw=st.binary(max_size=600))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_hostile_bytes_give_one_kind_of_error(fast: Any, raw: bytes) -> None:
    for prefix in (b"", b"\0\1"):
        with pytest.raises((RemoteProtocolError, NoKeyFits)):
            open_marked(fast.suite, fast.bob, prefix + raw)


def test_wrong_use_is_our_mistake(fast: Any) -> None:
    with pytest.raises(LocalProtocolError):
        seal_marked(fast.suite, fast.alice.ed, fast.bob.id, b"", bytes(31))
    with pytest.raises(LocalProtocolError):
        seal_marked(fast.suite, fast.alice.ed, b"\x06" + bytes(32), b"", bytes(32))
