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
    assert len(json.loads(body)["params"]["requests"]) == 5
