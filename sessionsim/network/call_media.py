"""When the media of calls begin and end, on which devices, and over which TURN servers.

Everything follows from the call as somebody wished it; what is by chance is drawn from the call's own
address, so that one call more changes no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sessionsim.core.intents import Call, Wish
from sessionsim.core.seeds import Seeds, mix
from sessionsim.protocol.client.calls import MediaRules


def media_commands(
    wishes: Iterable[Wish],
    endpoint_of: Mapping[tuple[int, int], int],
    turns: Sequence[int],
    rules: MediaRules,
    seeds: Seeds,
) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
    """Give time, endpoint and command for both sides of every call.

    The caller gathers candidates when it calls. The other side is the first device of its account; it gathers
    when it takes the call, and only then.

    Args:
        endpoint_of: endpoint by account and number of the device.
        turns: endpoints of the TURN servers.
    """
    for call in wishes:
        if not isinstance(call, Call):
            continue
        name = seeds.address("call", call.sender, call.recipient, call.number)
        relayed = bool(turns) and mix(name, 0) < rules.relayed_prob * 2.0**64
        ours, theirs = endpoint_of[call.sender, call.device], endpoint_of[call.recipient, 0]
        if ours == theirs:
            continue
        asked = [_some(turns, rules.servers_per_call, mix(name, side)) for side in (1, 2)]
        yield call.t_us, ours, ("call-media", theirs, asked[0], relayed, call.ring_us, call.talk_us)
        if call.talk_us:
            t_us = call.t_us + call.ring_us
            yield t_us, theirs, ("call-media", ours, asked[1], relayed, 0, call.talk_us)


def _some(turns: Sequence[int], count: int, draw: int) -> tuple[int, ...]:
    """Choose some of the TURN servers, each once, in random order."""
    left, chosen = list(turns), []
    for k in range(min(count, len(left))):
        chosen.append(left.pop(mix(draw, k) * len(left) >> 64))
    return tuple(chosen)
