"""Own batches of storage calls put together into one, and its answer divided among them (transport 5.7).

Bodies are those of `rpc.batch_body`; of an answer only the list of results is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire import rpc

MOST_CALLS: Final = 20  # Source: transport 5.2
_BEGIN: Final = b'"method":"batch","params":{"requests":['
_END: Final = b"]}}"
_ENVELOPE_MAX: Final = 80  # more than any client family writes before it


def is_batch(body: bytes) -> bool:
    """Say whether a request of ours is a batch."""
    return _BEGIN in body[:_ENVELOPE_MAX]


def count_calls(body: bytes) -> int:
    """Count the calls in a batch of ours."""
    return len(orjson.loads(body)["params"]["requests"])


def joined(bodies: Sequence[bytes]) -> bytes:
    """Write one batch of all calls, in order."""
    calls = [body[body.index(_BEGIN) + len(_BEGIN) : -len(_END)] for body in bodies]
    first = bodies[0]
    return first[: first.index(_BEGIN) + len(_BEGIN)] + b",".join(calls) + _END


def divided(answer: bytes, counts: Sequence[int]) -> list[bytes]:
    """Give to each batch its share of the results, as if it had been asked by itself.

    Args:
        answer: any bytes; what is no list of results goes to everybody as it is.
        counts: calls of each batch; the last get fewer if there are too few results.
    """
    try:
        results = rpc.read_object(answer).get("results")
    except RemoteProtocolError:
        results = None
    if type(results) is not list:
        return [answer] * len(counts)
    shares, begin = [], 0
    for count in counts:
        try:
            shares.append(orjson.dumps({"results": results[begin : begin + count]}))
        except TypeError:  # nested deeper than orjson can write it down
            shares.append(b"")
        begin += count
    return shares
