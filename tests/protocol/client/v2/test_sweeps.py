"""Every value to sweep of a hole makes a difference: what is seen of it, one thing for each setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import facts_of
from sessionsim.core.units import parse_quantity
from sessionsim.network.version2 import V2People, Version2, accounts_of
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.namespaces import USER_PROFILE
from sessionsim.protocol.v2 import SWEEPS, V2Rules, account_keys, write_record
from sessionsim.protocol.v2.devices.own_keys import OwnKeys
from sessionsim.protocol.wire import rpc

SECOND_US, MINUTE_US, DAY_US = 1_000_000, 60_000_000, 86_400_000_000
BEGUN_US = 1_777_000_000_000_000
Make = Callable[..., Any]


def own_due(make_net: Make, rules: dict[str, Any]) -> object:
    keys = OwnKeys(suite_named("fast"), b"s" * 32, BEGUN_US)
    due_us = keys.due_us(b"d" * 32, V2Rules(**rules))
    return None if due_us is None else due_us - BEGUN_US


def kept(make_net: Make, rules: dict[str, Any]) -> object:
    keys = OwnKeys(suite_named("fast"), b"s" * 32, BEGUN_US)
    keys.rotate(b"t" * 32, BEGUN_US)
    keys.pushed(BEGUN_US, V2Rules(**rules).device_key_retention_us)
    return keys.lapse_us


def fallback(make_net: Make, rules: dict[str, Any]) -> object:
    """How a message to an account without keys lies in the swarm."""
    net = make_net(no_keys_form="v2", **rules)
    ann, ben = net.established("ann"), net.add(net.account("ben"))
    net.tell(ann, "send", 0, ben.client.account.id, "hello")
    net.run(MINUTE_US)
    (stored,) = net.stored(ben.client.account, 0)
    return stored[:2], len(stored)


def waits(make_net: Make, rules: dict[str, Any]) -> object:
    """When a message goes out whose keys nobody sends."""
    net = make_net(**rules)
    ann, ben = net.established("ann"), net.established("ben")
    send = ann.client.requests.send
    ann.client.requests.send = lambda exchange, node, body, note, now_us, done: send(
        exchange, node, body, note, now_us, done if exchange & 15 != 15 else lambda *_: []
    )
    net.tell(ann, "send", 0, ben.client.account.id, "hello")
    net.run(5 * MINUTE_US)
    return ann.values("sealed v1")


def copy(make_net: Make, rules: dict[str, Any]) -> object:
    net = make_net(**rules)
    ann, ben = net.established("ann"), net.established("ben")
    net.tell(ann, "send", 0, ben.client.account.id, "hello")
    net.run(MINUTE_US)
    (stored,) = net.stored(ann.client.account, 0)
    return stored[:2] == b"\0\2"


def members(make_net: Make, rules: dict[str, Any]) -> object:
    return len(accounts_of(Version2(V2Rules(**rules), V2People()), 1000, Seeds(3)))


def after_a_foreign_record(make_net: Make, rules: dict[str, Any]) -> object:
    """How often the account's record is published once somebody else's stands there for an hour."""
    net = make_net(**rules)
    ann = net.established("ann")
    account, now_ms = ann.client.account, ann.client.wire_ms(net.now_us)
    raw = write_record(account, account_keys(net.world.suite, b"f" * 32).public, None)
    for node in net.world.nodes.members[net.swarm(account)]:
        store, name = net.world.machines[node].store, rpc.message_hash(account.id, -21, raw)
        store.store(account.id, -21, name, now_ms, now_ms + DAY_US // 1000, raw, now_ms)
    net.run(60 * MINUTE_US)
    return len(ann.values("record pushed"))


def config(make_net: Make, rules: dict[str, Any]) -> object:
    net = make_net(**rules)
    ann = net.established("ann", configs=True)
    net.tell(ann, "config-change", 0, "name", 0, None)
    net.run(MINUTE_US)
    (stored,) = net.stored(ann.client.account, USER_PROFILE)
    return len(stored)


SEEN: dict[str, Callable[[Make, dict[str, Any]], object]] = {
    "device_key_rotation": own_due,
    "device_key_period_us": own_due,
    "device_key_jitter_us": own_due,
    "device_key_retention_us": kept,
    "fallback_form": fallback,
    "key_wait_us": waits,
    "own_copy": copy,
    "adoption_prob": members,
    "foreign_record": after_a_foreign_record,
    "groups_and_configs": config,
}


def test_something_is_seen_of_every_setting_that_has_values_to_sweep() -> None:
    assert SEEN.keys() == {name for name, values in SWEEPS.items() if values}


@pytest.mark.parametrize("name", SEEN)
def test_no_two_values_of_a_sweep_look_the_same(make_net: Make, name: str) -> None:
    unit = facts_of(V2Rules)[name].unit
    seen = [
        SEEN[name](make_net, {name: parse_quantity(value, unit) if unit else value}) for value in SWEEPS[name]
    ]
    assert len({repr(one) for one in seen}) == len(seen), dict(zip(SWEEPS[name], seen, strict=True))
    if name == "key_wait_us":  # after 50 s all five members of the swarm have been asked
        assert seen[:3] == [[0], [3 * SECOND_US], [10 * SECOND_US]]
        assert 50 * SECOND_US < seen[3][0] < 51 * SECOND_US  # type: ignore[index]
