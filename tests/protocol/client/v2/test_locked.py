"""What does not open waits for a key: a read of the group follows, and every new key is tried."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.network.accounts_book import Locker
from sessionsim.protocol.client.v2.locked import MOST_LOCKED
from sessionsim.protocol.v2 import account_keys, seal, seal_fallback
from sessionsim.protocol.v2.devices import DeviceGroup
from sessionsim.protocol.versions.v1 import encode_text
from sessionsim.protocol.wire.rpc import Retrieved

SECOND_US, HOUR_US = 1_000_000, 3_600_000_000
EPOCH_US = 1_777_000_000_000_000


def text(net: Any, sender: Any, recipient: Any, keys: Any, number: int = 1) -> bytes:
    random = Seeds(number).entropy("text").expand(b"", 64)
    content = encode_text(f"text {number}", 1_777_000_000_000)
    account = sender.client.account
    return seal(net.world.suite, account.ed, recipient.client.account.id, keys, content, random)


def test_a_device_that_missed_a_change_of_keys_reads_the_group_and_opens(make_net: Any) -> None:
    net = make_net()
    first, second = net.linked("ann", 2)
    ben = net.established("ben")
    first.group.rotate_account_keys(EPOCH_US + net.now_us)
    net.tell(first, "describe-device", "new name")  # has it read, and push
    net.run(2 * SECOND_US)
    stored = text(net, ben, second, first.group.account_keys[0].public)
    assert first.group.seeds != second.group.seeds
    net.tell(second, "woken", "h" * 43, stored)
    assert second.names()[-1] == "locked"
    net.run(SECOND_US)
    assert [name for name in second.names() if "lock" in name] == ["locked", "unlocked"]
    assert second.names()[-1] == "opened v2"
    assert second.bodies == ["text 1"]
    assert 0 < second.values("unlocked")[0] < SECOND_US  # a push, then a fetch
    net.tell(second, "woken", "h" * 43, stored)
    assert second.bodies == ["text 1"]  # a poll brings it again: once is enough


def test_what_no_key_ever_opens_stays_locked_and_is_tried_with_each_new_key(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    strange = account_keys(net.world.suite, b"s" * 32)
    net.tell(ann, "woken", "h" * 43, text(net, ben, ann, strange.public))
    net.run(40 * HOUR_US)
    assert "unlocked" not in ann.names()
    assert ann.names().count("locked") == 1
    assert [
        name for part in ann.client.parts if isinstance(part, Locker) for name in part.locked_hashes()
    ] == ["h" * 43]
    assert ann.bodies == []


def test_a_flood_of_such_messages_is_bounded_and_reads_the_group_once_at_a_time(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    stored = text(net, ben, ann, account_keys(net.world.suite, b"s" * 32).public)
    before = len(ann.sent)
    for k in range(MOST_LOCKED + 5):
        net.tell(ann, "woken", f"{k:043d}", stored)
    assert len(ann.sent) - before == 1
    parts = [part for part in ann.client.parts if hasattr(part, "locked")]
    assert [part.locked for part in parts] == [MOST_LOCKED]


def test_messages_of_all_kinds_are_opened_and_what_is_wrong_is_refused(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    suite, account = net.world.suite, ben.client.account
    fallback = seal_fallback(
        suite, account.ed, ann.client.account.id, encode_text("weaker", 1_777_000_000_000), bytes(1122)
    )
    no_text = seal(
        suite, account.ed, ann.client.account.id, ann.group.account_keys[0].public, b"\xff", bytes(64)
    )
    for k, stored in enumerate((fallback, no_text, b"", b"\x00\x01" + bytes(1600), b"\x00\x02", b"junk")):
        net.tell(ann, "woken", f"{k:043d}", stored)
    assert ann.bodies == ["weaker"]
    assert [name for name in ann.names() if name.startswith(("opened", "refused", "locked"))] == [
        "opened v2 fallback", "refused", "refused", "refused", "refused", "refused",
    ]  # fmt: skip


@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_the_safety_day_is_spent(make_net: Any, suite: str) -> None:
    """A message under keys that were 48 h old in a cache, stored for 14 days, opens with no hour to spare.

    Keys are fetched just before they are changed; the text goes out 48 h later and is fetched 14 d after
    that, when the keys were changed 16 d ago.
    """
    net = make_net(suite)
    ben = net.established("ben")
    seeds = Seeds(5).entropy("old device")
    for late_s, opens in ((-60, True), (60, False)):
        group = DeviceGroup(net.world.suite, net.account("old"), seeds, EPOCH_US, net.v2)
        group.establish(EPOCH_US)
        fetched = group.account_keys[0].public  # by a sender, the moment before
        group.rotate_account_keys(EPOCH_US + SECOND_US)
        device = net.add(net.account("old"), group=group)
        stored = text(net, ben, device, fetched)  # at 48 h, the last moment at which the cache lets it
        days_16_us = 16 * 24 * HOUR_US
        group.act(EPOCH_US + SECOND_US + days_16_us + late_s * SECOND_US)
        effects = device.client.takers[0](Retrieved("h" * 43, 0, 0, stored), net.now_us)
        assert (effects[0][1] == "opened v2") is opens
