"""The poll template writes what the general functions write."""

from __future__ import annotations

import json

import pytest

from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.poll import PollTemplate

NAMESPACES, SIZES = (0, 2, 3, 5, -11), (-2, -8, -8, -8, 1000)


def _sign(text: bytes) -> bytes:
    return (text * 64)[:64]


@pytest.mark.parametrize("style", rpc.BODY_STYLES.values(), ids=lambda style: style.name)
def test_template_equals_the_general_functions(style: rpc.BodyStyle) -> None:
    cursors = ("", "A" * 43, "b+/" + "c" * 40, "", "")
    account, ed25519 = "05" + "ab" * 32, "cd" * 32
    calls = [
        rpc.retrieve_call(
            style, account, ed25519, ns, cursor, 1_777_000_000_123,
            _sign(rpc.signed_text("retrieve", ns, 1_777_000_000_123)), size,
        )
        for ns, cursor, size in zip(NAMESPACES, cursors, SIZES, strict=True)
    ]  # fmt: skip
    template = PollTemplate(style, account, ed25519, NAMESPACES, SIZES)
    body = template.fill(1_777_000_000_123, cursors, _sign)
    assert body == rpc.batch_body(style, calls)
    assert template.length(sum(map(len, cursors))) == len(body)
    assert len(json.loads(body)["params"]["requests"]) == 5


@pytest.mark.parametrize("style", rpc.BODY_STYLES.values(), ids=lambda style: style.name)
def test_a_box_that_anyone_may_read_is_read_unsigned(style: rpc.BodyStyle) -> None:
    account, signed = "05" + "ab" * 32, []
    template = PollTemplate(style, account, "cd" * 32, (21, -21, 0), (-8, -8, -2))
    body = template.fill(1_777_000_000_123, ("", "b" * 43, ""), lambda text: signed.append(text) or bytes(64))  # type: ignore[func-returns-value]
    requests = json.loads(body)["params"]["requests"]
    assert signed == [b"retrieve211777000000123", b"retrieve1777000000123"]
    assert requests[1]["params"] == {
        "last_hash": "b" * 43,
        "max_size": -8,
        "namespace": -21,
        "pubkey": account,
    }
