"""Ifelse: choosing a branch, and what is written around its answer (transport 5.7)."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from sessionsim.protocol.wire.rpc_answers import Answer
from sessionsim.protocol.wire.rpc_node import IfElseCall, NodeCall
from sessionsim.protocol.wire.rpc_params_meta import meets


def choose(
    call: NodeCall, hf: tuple[int, ...], v: tuple[int, ...], height: int
) -> tuple[NodeCall | None, tuple[bool, ...]]:
    """Follow conditional calls to the one that is to be executed.

    Args:
        call: any call.
        hf, v, height: hard fork, version and block height of the node.

    Returns:
        The call, None if the branch that was followed is empty; and how each condition on the way came out,
        from the outermost.
    """
    outcomes = []
    followed: NodeCall | None = call
    while type(followed) is IfElseCall:
        held = meets(followed.asked, hf, v, height)
        outcomes.append(held)
        followed = followed.then if held else followed.otherwise
    return followed, tuple(outcomes)


def conditional_answer(
    answer: Answer | None, outcomes: Sequence[bool], hard_fork: bytes, version: Sequence[int], height: int
) -> Answer:
    """Write the answers of ifelse around that of the branch. Args: answer: None for an empty branch."""
    numbers = ",".join(map(str, version)).encode()
    for held in reversed(outcomes):
        result = b""
        if answer is not None:
            status, body, is_json = answer
            text = body if is_json else orjson.dumps(body.decode("utf-8", "replace"))
            result = b'"result":{"body":%b,"code":%d},' % (text, status)
        condition = b"true" if held else b"false"
        body = b'{"condition":%b,"height":%d,"hf":%b,%b"v":[%b]}' % (
            condition, height, hard_fork, result, numbers,
        )  # fmt: skip
        answer = (200, body, True)
    assert answer is not None
    return answer
