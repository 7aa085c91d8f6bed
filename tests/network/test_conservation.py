"""Whatever happens in a run, each message is accounted for once; with nothing going wrong, all arrive."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.intents import (
    Call,
    CallSignal,
    Deletion,
    Device,
    Intent,
    Reaction,
    Receipt,
    Typing,
    order_of,
)
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import OUTCOMES, Truth
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.rules import PLATFORMS

NAMES = tuple(sorted(PLATFORMS))
CALL = (
    CallSignal(0, True, "pre-offer", 0),
    CallSignal(200_000, True, "offer", 2000),
    CallSignal(2_000_000, False, "answer", 2000),
    CallSignal(4_000_000, True, "end", 0),
)


def run(
    wishes: tuple[Any, ...], seconds: float, seed: int, platforms: tuple[str, ...], **rules: Any
) -> Truth:
    horizon = int(seconds * US_PER_S)
    spec = WorldSpec(
        date="2026-04-28", platforms=platforms, intents=wishes, horizon_us=horizon, measured=(0, horizon),
        seeds=Seeds(seed), epoch_ms=1_790_000_000_000, limit_swarms=12,
        client_rules={name: replace(PLATFORMS[name], **rules) for name in NAMES},
    )  # fmt: skip
    return build(spec).run()


def texts(n: int, accounts: int, within_us: int, seed: int) -> list[Intent]:
    drawn = Seeds(seed).stream("texts").integers(0, [accounts, accounts, within_us], (n, 3)).tolist()
    return [Intent(t_us, a, b, f"text {k}", k) for k, (a, b, t_us) in enumerate(drawn)]


def signals(said: list[Intent], seed: int) -> list[Any]:
    """What follows some of the texts, and calls; times are drawn, also ones that are too early."""
    chance = Seeds(seed).stream("signals")
    found: list[Any] = []
    for text in said:
        kind, after = int(chance.integers(7)), int(chance.integers(-US_PER_S, 4 * US_PER_S))
        t_us, other = max(0, text.t_us + after), text.recipient
        if kind == 0:
            found.append(Receipt(t_us, other, text.sender, (text.number,)))
        elif kind == 1:
            found.append(Reaction(t_us, other, text.address, "😮"))
        elif kind == 2:
            found.append(Deletion(t_us, text.sender, text.address))
        elif kind == 3:
            found.append(Typing(t_us, text.sender, other, text.number, 0, "start"))
        elif kind == 4 and text.sender != other:
            found.append(Call(t_us, text.sender, other, text.number, "answered", 1, 1, CALL))
        elif kind == 5:
            found.append(Receipt(t_us, other, text.sender, (text.number + 500,)))  # of what nobody writes
    return found


def devices(accounts: int) -> tuple[Device, ...]:
    return tuple(Device(0, account, 1, NAMES[account % 3]) for account in range(0, accounts, 2))


def check(truth: Truth) -> None:
    """Hold the tables against each other, in a way that knows nothing of how they were made."""
    messages, deliveries = truth.messages, truth.deliveries
    assert set(messages["outcome"]) | set(deliveries["outcome"]) <= set(OUTCOMES)
    per_message: dict[int, list[str]] = {}
    for ref, copy, outcome, seen in zip(
        *(deliveries[name].tolist() for name in ("message", "copy", "outcome", "delivered_us")), strict=True
    ):
        assert (outcome == "delivered") == (seen >= 0)
        if copy == "message":
            per_message.setdefault(ref, []).append(outcome)
    n_devices = Counter(truth.devices["account"].tolist())
    for ref, outcome in enumerate(messages["outcome"].tolist()):
        sender, recipient = int(messages["sender"][ref]), int(messages["recipient"][ref])
        copies = per_message.get(ref, [])
        if sender == recipient:
            assert len(copies) in (n_devices[recipient] - 1, n_devices[recipient])  # who writes it, or will
        else:
            assert len(copies) == n_devices[recipient]
        assert bool(messages["reason"][ref]) == (outcome != "delivered")
        if copies:
            assert (outcome == "delivered") == ("delivered" in copies)
        assert (messages["delivered_us"][ref] >= 0) == ("delivered" in copies)
        if outcome == "waiting" and messages["reason"][ref] == "with its sender":
            assert messages["stored_us"][ref] < 0


def test_with_nothing_going_wrong_every_device_gets_everything() -> None:
    wishes = (*devices(6), *sorted(texts(40, 6, 20 * US_PER_S, 1)))
    truth = run(wishes, 45, 3, NAMES * 2)
    check(truth)
    assert set(truth.messages["outcome"]) == {"delivered"}
    assert set(truth.deliveries["outcome"]) == {"delivered"}
    assert {"message", "sync"} == set(truth.deliveries["copy"])
    assert set(truth.deliveries["repeated"]) == {0}
    # Each swarm has several members, and each of them gives everything once more.
    assert min(truth.devices["fetched_again"]) > 0


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1000),
    st.floats(0.3, 12.0),
    st.integers(0, 25),
    st.integers(150, 3000),
    st.sampled_from([1, 2, 10]),
    st.booleans(),
)
def test_every_message_is_accounted_for_once_whatever_happens(
    seed: int, seconds: float, n: int, timeout_ms: int, attempts: int, doubled: bool
) -> None:
    """Runs that end too early, clients that are too impatient, wishes after the end."""
    accounts = 4
    said = texts(n, accounts, 8 * US_PER_S, seed)
    first = devices(accounts) if doubled else ()
    wishes = (*first, *sorted((*said, *signals(said, seed)), key=order_of))
    platforms = tuple(NAMES[(seed + k) % 3] for k in range(accounts))
    rules = {"request_timeout_us": timeout_ms * US_PER_MS, "send_attempts": attempts}
    check(run(wishes, seconds, seed, platforms, **rules))


@pytest.mark.parametrize(("timeout_ms", "attempts"), [(150, 1), (400, 2)])
def test_impatient_clients_give_up_and_say_why(timeout_ms: int, attempts: int) -> None:
    rules = {"request_timeout_us": timeout_ms * US_PER_MS, "send_attempts": attempts}
    truth = run(tuple(sorted(texts(30, 4, 8 * US_PER_S, 2))), 20, 1, (*NAMES, "ios"), **rules)
    check(truth)
    refused = truth.messages["outcome"] == "refused"
    assert refused.any()
    assert set(truth.messages["reason"][refused]) <= {"no answer", "no swarm found"}
