"""What people's doings make their clients ask for, by kind and platform, against a hand calculation.

In a quarter of an hour each of six accounts does once what stands here, to the next one or in the one room:

    doing                                    kind        desktop           Android           iOS
    a text                                   SEND, SYNC  1 + copy 1        1 + copy 1        1 + copy 1
    a text with a picture                    SEND, SYNC  1 + copy 1        1 + copy 1        1 + copy 1
      up by its writer, down by its reader   FILE        1 + 1             1 + 1             1 + 1
    it says that it types                    SIGNAL      1                 1 + copy 1        1
    it has read two texts                    SIGNAL      1                 1 + copy 1        1
    it reacts                                SIGNAL      1 + copy 1        1 + copy 1        1 + copy 1
    it deletes its first text for both       SIGNAL      1 + copy 1        1 + copy 1        1 + copy 1
      own copy; and as a reader, the other's SIGNAL      1 + 1             1 + 1             1 + 1
    it calls, is taken, ends: 4 steps of 6   SIGNAL      4                 4 + copies 4      4 + copy 1 (end)
    it is called and takes: 2 steps of 6     SIGNAL      2                 2 + copies 2      2 + copy 1
    another name, two minutes later          CONFIG      1                 1                 1
    another picture                          FILE, CONF. 1, 1              1, 1              1, 1
    a post, an emoji on one, and mail to a   COMMUNITY   3                 3                 3
      pseudonym (polls apart)

Sources: client-behaviour 6.3 (stores and copies), 6.5 (files, calls), messages 5.7 (pushes), 8 (communities).
A client looks up three swarms, once: its own, that of whom it writes to, and that of whom it reads; iOS
computes them. What a text says of its writer is no news, so it changes no config.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import Cause, split_note
from sessionsim.core.intents import (
    Call,
    CallSignal,
    ConfigChange,
    Deletion,
    File,
    InboxText,
    Intent,
    MessageAt,
    Post,
    Reaction,
    Reader,
    Receipt,
    Typing,
    Wish,
    order_of,
)
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.requests import Purpose

NAMES = ("desktop", "android", "ios")
N, S = 6, US_PER_S
HORIZON_US = 15 * US_PER_MIN
_CALL = (
    CallSignal(0, True, "pre-offer", 0), CallSignal(S, True, "offer", 2000),
    CallSignal(2 * S, True, "ice", 780), CallSignal(30 * S, False, "answer", 2000),
    CallSignal(31 * S, False, "ice", 780), CallSignal(60 * S, True, "end", 0),
)  # fmt: skip
EXPECTED = {
    "desktop": {"SEND": 2, "SYNC": 2, "FILE": 3, "SIGNAL": 14, "CONFIG": 2, "COMMUNITY": 3, "LOOKUP": 3},
    "android": {"SEND": 2, "SYNC": 2, "FILE": 3, "SIGNAL": 22, "CONFIG": 2, "COMMUNITY": 3, "LOOKUP": 3},
    "ios": {"SEND": 2, "SYNC": 2, "FILE": 3, "SIGNAL": 16, "CONFIG": 2, "COMMUNITY": 3, "LOOKUP": 0},
}


def doings() -> tuple[Wish, ...]:
    """Give what the six do, one after the other, a second apart."""
    wishes: list[Wish] = [Reader(0, k, 0) for k in range(N)]
    for k in range(N):
        after, before, at_us = (k + 1) % N, (k - 1) % N, k * S
        first = MessageAt("direct", k, before, 0)
        wishes += [
            Typing(50 * S + at_us, k, after, 0, 0, "start"),
            Intent(60 * S + at_us, k, after, "first"),
            Intent(90 * S + at_us, k, after, "second", 1, (File("photo", 20_000),)),
            Receipt(180 * S + at_us, k, before, (0, 1)),
            Reaction(200 * S + at_us, k, first, "😮"),
            Deletion(240 * S + at_us, k, MessageAt("direct", after, k, 0)),
            Call(300 * S + at_us, k, after, 0, "answered", 30 * S, 30 * S, _CALL),
            Post(420 * S + at_us, k, 0, "a post", 0),
            Reaction(480 * S + at_us, k, MessageAt("room", 0, before, 0), "😮"),
            InboxText(500 * S + at_us, k, after, 0, "to a pseudonym", 0),
            ConfigChange(560 * S + at_us, k, "profile", "name", 0),
            ConfigChange(680 * S + at_us, k, "profile", "avatar", 0, File("avatar", 20_000)),
        ]
    # Whoever calls must have accepted and been accepted: everybody writes both ways.
    wishes += [Intent(HORIZON_US - S, (k + 1) % N, k, "too late to count") for k in range(N)]
    return tuple(sorted(wishes, key=order_of))


@pytest.fixture(scope="module")
def asked() -> tuple[Any, dict[int, Counter[str]]]:
    world = build(
        WorldSpec(
            date="2026-04-28", platforms=NAMES * 2, intents=doings(), horizon_us=HORIZON_US,
            measured=(0, HORIZON_US), seeds=Seeds(3), epoch_ms=1_777_377_600_000, limit_swarms=60,
            suite="fast",
        )
    )  # fmt: skip
    clients, records = world.scene.client_endpoints, MemoryRecords()
    truth = world.run(records, frozenset(clients))
    rows = records.table()
    cause, _ = split_note(rows["note"])
    counted = (
        ~np.isin(cause, (Cause.HANDSHAKE, Cause.KEEPALIVE))
        & (rows["dst"] < len(world.nodes))
        & (rows["direction"] == 0)
        & (rows["t_sent_us"] < HORIZON_US - S)
    )
    found: dict[int, Counter[str]] = {}
    for client in clients:
        of_client = counted & (rows["src"] == client)
        numbers = [int(number) for number in rows["exchange"][of_client]]
        # The bit after the purpose tells polls of communities from all else they are asked.
        kinds = (
            Purpose(number & 15).name
            for number in numbers
            if not (number & 15 == Purpose.COMMUNITY and not number >> 4 & 1)
        )
        found[client] = Counter(kinds)
    return truth, found


def test_everything_that_was_done_in_time_arrived(asked: Any) -> None:
    truth, _ = asked
    done = truth.messages["intent_us"] < HORIZON_US - S
    outcomes = zip(truth.messages["kind"][done], truth.messages["outcome"][done], strict=True)
    assert {pair for pair in outcomes if pair[1] != "delivered"} == set()


@pytest.mark.parametrize("name", NAMES)
def test_doings_make_as_many_requests_as_the_hand_calculation(asked: Any, name: str) -> None:
    _, found = asked
    clients = list(found)
    for client in clients[NAMES.index(name) :: len(NAMES)]:
        counts = {what: found[client][what] for what in EXPECTED[name]}
        assert counts == EXPECTED[name]
        others = set(found[client]) - set(EXPECTED[name])
        assert others <= {"POLL", "NODE_LIST", "PATH_TEST"}  # clocks make these: test_client_rhythms
