"""Device groups over the network: when keys change, what is pushed, and how devices come and go."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from sessionsim.protocol.client.idling import NEVER_US
from sessionsim.protocol.client.v2.linking import Linking
from sessionsim.protocol.client.v2.own_group import OwnGroup
from sessionsim.protocol.namespaces import ACCOUNT_KEYS
from sessionsim.protocol.v2 import account_keys, read_record, write_record
from sessionsim.protocol.v2.devices import State
from sessionsim.protocol.wire import rpc

SECOND_US, MINUTE_US, HOUR_US = 1_000_000, 60_000_000, 3_600_000_000
DAY_US = 24 * HOUR_US
EPOCH_US = 1_777_000_000_000_000
KEYS = 15
ROTATED, PUSHED, PUBLISHED = "account keys changed", "group pushed", "record pushed"


def all_of(devices: list[Any], name: str) -> list[int]:
    """When something happened on any of some devices."""
    return sorted(t_us for device in devices for t_us in device.times(name))


def record_of(net: Any, device: Any) -> Any:
    (raw,) = net.stored(device.client.account, ACCOUNT_KEYS)
    return read_record(device.client.account.id, raw)


def same_keys(devices: list[Any]) -> bool:
    return all(device.group.seeds == devices[0].group.seeds for device in devices)


def settle(net: Any) -> None:
    """Let polls pass, more rarely than which no device asks."""
    net.run(45 * MINUTE_US)


# ---- Publishing and changing keys ----


@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_a_new_account_pushes_its_group_and_its_record_once(make_net: Any, suite: str) -> None:
    net = make_net(suite)
    ann = net.established("ann")
    net.run(3 * HOUR_US)
    assert ann.values(PUSHED) == [13_393]
    assert ann.values(PUBLISHED) == [1302]
    assert [len(raw) for raw in net.stored(ann.client.account, 21)] == [13_393]
    assert record_of(net, ann) == ann.group.account_keys[0].public
    assert ann.names()[0] == "membership in group"


def test_keys_change_twice_a_day_with_one_push_each_and_one_message_stored(make_net: Any) -> None:
    net = make_net()
    ann = net.established("ann")
    net.run(5 * DAY_US)
    ages_h = [age_us / HOUR_US for age_us in ann.values(ROTATED)]
    assert len(ages_h) == len(ann.values(PUSHED)) - 1 == len(ann.values(PUBLISHED)) - 1
    assert 9 <= len(ages_h) <= 10
    assert all(11 <= age <= 13.001 for age in ages_h)
    assert max(ages_h) - min(ages_h) > 0.2
    assert len(net.stored(ann.client.account, 21)) == 1
    assert record_of(net, ann) == ann.group.account_keys[0].public


@pytest.mark.parametrize("count", [2, 4])
def test_of_several_devices_one_changes_the_keys_and_all_learn_them(make_net: Any, count: int) -> None:
    net = make_net()
    devices = net.linked("ann", count)
    begun, pushes = net.now_us, len(all_of(devices, PUSHED))
    net.run(4 * DAY_US)
    changes = [t_us for t_us in all_of(devices, ROTATED) if t_us > begun]
    assert 7 <= len(changes) <= 9
    gaps_h = [(b - a) / HOUR_US for a, b in pairwise(changes)]
    assert all(10.99 <= gap <= 13.01 for gap in gaps_h)
    assert len({id(device) for device in devices if max(device.times(ROTATED), default=0) > begun}) > 1
    # One push for each change; a device that meets the others' may push its own word of it.
    assert len(all_of(devices, PUSHED)) - pushes == len(changes)
    settle(net)
    assert same_keys(devices)
    assert len(net.stored(devices[0].client.account, 21)) == 1


def test_while_all_devices_are_off_nothing_changes_and_the_first_one_back_does_it_at_once(
    make_net: Any,
) -> None:
    net = make_net()
    devices = net.linked("ann", 2)
    for device in devices:
        net.turn(device, on=False)
    net.run(30 * HOUR_US)
    net.turn(devices[1], on=True)
    back = net.now_us
    net.run(25 * MINUTE_US)
    (changed,) = devices[1].times(ROTATED)
    assert changed - back < 21 * MINUTE_US
    assert devices[1].values(ROTATED)[0] > 30 * HOUR_US
    net.turn(devices[0], on=True)
    settle(net)
    assert devices[0].times(ROTATED) == []  # it read first, and had nothing to change
    assert same_keys(devices)


def test_a_device_that_was_away_learns_all_keys_and_reads_what_came_meanwhile(make_net: Any) -> None:
    net = make_net()
    (first, second), ben = net.linked("ann", 2), net.established("ben")
    net.turn(second, on=False)
    for ref in range(4):
        net.run(20 * HOUR_US)
        net.tell(ben, "send", ref, first.client.account.id, f"text {ref}")
        net.run(10 * SECOND_US)
    net.turn(second, on=True)
    settle(net)
    assert second.bodies == first.bodies == ["text 0", "text 1", "text 2", "text 3"]
    assert same_keys([first, second])
    assert "locked" not in second.names()  # the group's messages are read ahead of others


def test_devices_that_change_keys_at_once_keep_both_and_agree(make_net: Any) -> None:
    net = make_net()
    devices = net.linked("ann", 3)
    for k in (0, 1):
        devices[k].group.rotate_account_keys(EPOCH_US + net.now_us)
        net.tell(devices[k], "describe-device", f"raced {k}")
    made = {devices[k].group.seeds[0].seed for k in (0, 1)}
    settle(net)
    settle(net)
    assert same_keys(devices)
    assert made <= {held.seed for held in devices[2].group.seeds}
    active = devices[0].group.seeds[0]
    assert active.seed == min(made)  # made in one second: the smaller one wins
    # Whoever's record came last stands until the next change; both open.
    assert record_of(net, devices[0]) in [keys.public for keys in devices[2].group.account_keys[:2]]
    net.run(13 * HOUR_US)
    settle(net)
    assert len(net.stored(devices[0].client.account, 21)) == 1
    assert record_of(net, devices[0]) == devices[2].group.account_keys[0].public


def test_a_push_that_fails_is_made_again(make_net: Any) -> None:
    net = make_net()
    ann = net.add(net.account("ann"))
    send, refused = ann.client.requests.send, [0]

    def sending(exchange: int, node: int, body: bytes, note: int, now_us: int, done: Any) -> Any:
        if b"sequence" in body and refused[0] < 3:
            refused[0] += 1
            answers = ((0, b""), (500, b"Sorry"), (200, b'{"results":[{"code":401,"body":"no"}]}'))
            status, answer = answers[refused[0] - 1]
            return send(exchange, node, body, note, now_us, lambda *_: done(status, answer, _[-1]))
        return send(exchange, node, body, note, now_us, done)

    ann.client.requests.send = sending
    net.tell(ann, "establish")
    net.run(MINUTE_US)
    assert ann.names().count("push failed") == 3
    assert ann.names().count(PUSHED) == 1
    # The nodes had stored them all; the last one has replaced those before it.
    assert len(net.stored(ann.client.account, 21)) == 1
    gaps = [(b - a) / SECOND_US for a, b in pairwise([*ann.times("push failed"), *ann.times(PUSHED)])]
    assert all(10 <= gap < 11 for gap in gaps)


def test_nothing_is_pushed_after_half_a_read(make_net: Any) -> None:
    net = make_net()
    ann = net.established("ann")
    ann.group.rotate_account_keys(EPOCH_US + net.now_us)
    assert ann.client.read_to_end[-21](net.now_us) == []
    assert ann.client.read_to_end[21](net.now_us) == []
    assert ann.client.read_to_end[-21](net.now_us) != []


def test_a_read_that_fails_is_made_again_after_a_pause(make_net: Any) -> None:
    net = make_net()
    ann = net.established("ann")
    send = ann.client.requests.send
    ann.client.requests.send = lambda exchange, node, body, note, now_us, done: send(
        exchange, node, body, note, now_us, lambda *_: done(0, b"", _[-1]) if exchange & 15 else done(*_)
    )
    before = len(ann.sent)
    net.tell(ann, "describe-device", "other")
    net.run(5 * MINUTE_US)
    reads = [t_us for t_us, exchange, _ in ann.sent[before:] if exchange & 15 == KEYS]
    assert 20 <= len(reads) <= 31


def test_without_polls_of_its_namespaces_a_device_reads_when_it_must(make_net: Any) -> None:
    net = make_net(polls_own_namespaces=False)
    devices = [net.established("ann")]
    devices.append(net.add(devices[0].client.account, 1))
    net.link(*devices)
    assert all(21 not in device.client.rules.namespaces for device in devices)
    ben = net.established("ben")
    net.run(30 * HOUR_US)
    net.tell(ben, "send", 0, devices[0].client.account.id, "hello")
    settle(net)
    assert [device.bodies for device in devices] == [["hello"], ["hello"]]


# ---- Device keys (holes H1, H2) ----


def test_a_device_changes_its_own_keys_as_often_as_the_rules_say(make_net: Any) -> None:
    net = make_net(device_key_period_us=DAY_US, device_key_jitter_us=HOUR_US)
    devices = net.linked("ann", 2)
    begun = net.now_us
    keys = [device.group.device_keys[0].public for device in devices]
    net.run(5 * DAY_US)
    for device, old in zip(devices, keys, strict=True):
        changes = [t_us for t_us in device.times("device keys changed") if t_us > begun]
        assert 4 <= len(changes) <= 5
        assert all(23 <= (b - a) / HOUR_US <= 25.01 for a, b in pairwise(changes))
        held = [one.public for one in device.group.device_keys]
        assert old not in held
        # The current one, and those replaced within 48 h.
        assert len(held) == 1 + sum(t_us > net.now_us - 48 * HOUR_US for t_us in changes)
    settle(net)
    assert same_keys(devices)


def test_a_replaced_device_key_is_kept_for_48_hours_after_the_push(make_net: Any) -> None:
    net = make_net(device_key_rotation="never")
    ann = net.established("ann")
    ann.group.rotate_device_keys(EPOCH_US + net.now_us)
    net.tell(ann, "describe-device", "with new keys")
    net.run(47 * HOUR_US)
    assert len(ann.group.device_keys) == 2
    net.run(HOUR_US + 10 * SECOND_US)  # whether or not anything else falls due
    assert len(ann.group.device_keys) == 1


def test_changed_account_keys_are_dropped_when_their_time_is_over(make_net: Any) -> None:
    net = make_net(account_key_retention_us=20 * HOUR_US)
    ann = net.established("ann")
    for _ in range(200):
        net.run(HOUR_US // 4)
        now_s = (EPOCH_US + net.now_us) // SECOND_US
        held = [seed.rotated_s for seed in ann.group.seeds if seed.rotated_s is not None]
        assert all(now_s - rotated_s <= 20 * 3600 + 1 for rotated_s in held)
    assert len(ann.group.seeds) in (2, 3)


def test_device_keys_never_change_where_the_scheduler_is_a_stub(make_net: Any) -> None:
    net = make_net(device_key_rotation="never")
    ann = net.established("ann")
    net.run(15 * DAY_US)
    assert "device keys changed" not in ann.names()
    assert len(ann.group.device_keys) == 1


# ---- Coming and going ----


def test_linking_shows_both_persons_the_same_emoji_and_takes_their_time(make_net: Any) -> None:
    net = make_net()
    first, second = net.established("ann"), net.add(net.account("ann"), 1)
    begun = net.now_us
    net.tell(first, "accept-links", 20 * SECOND_US, 10 * MINUTE_US)
    net.tell(second, "link", 15 * SECOND_US)
    net.run(12 * SECOND_US)
    (shown,) = first.group.requests
    assert shown.plaintext == second.group.own_request.plaintext
    net.run(MINUTE_US)
    assert second.group.is_member
    assert second.values("link request pushed")[0] > 1300
    (admitted,) = first.times("device admitted")
    assert admitted - begun >= 20 * SECOND_US
    assert [name for name in second.names() if name.startswith("membership")] == [
        "membership groups visible", "membership waiting", "membership in group",
    ]  # fmt: skip
    settle(net)
    assert same_keys([first, second])
    assert len(net.stored(first.client.account, 21)) == 1  # the request is gone too


def test_an_admission_waits_for_the_person_at_the_new_device(make_net: Any) -> None:
    net = make_net()
    first, second = net.established("ann"), net.add(net.account("ann"), 1)
    net.tell(first, "accept-links", SECOND_US, 10 * MINUTE_US)
    net.tell(second, "link", 5 * MINUTE_US)
    net.run(3 * MINUTE_US)
    assert second.group.own_request.held is not None
    assert not second.group.is_member
    net.run(3 * MINUTE_US)
    assert second.group.is_member
    assert "group held" in second.names()


def test_whoever_accepts_links_admits_one_device_and_no_other(make_net: Any) -> None:
    net = make_net()
    first = net.established("ann")
    others = [net.add(first.client.account, number) for number in (1, 2)]
    net.tell(first, "accept-links", SECOND_US, 10 * MINUTE_US)
    for other in others:
        net.tell(other, "link", SECOND_US)
    net.run(12 * MINUTE_US)
    assert sorted(other.group.is_member for other in others) == [False, True]
    assert first.names().count("device admitted") == 1


def test_a_request_that_nobody_accepts_lapses_and_is_made_again(make_net: Any) -> None:
    net = make_net()
    first, second = net.established("ann"), net.add(net.account("ann"), 1)
    net.tell(second, "link", 15 * SECOND_US)
    net.run(25 * MINUTE_US)
    assert len(second.values("link request pushed")) == 3
    assert not second.group.is_member
    assert "device admitted" not in first.names()
    net.tell(first, "accept-links", SECOND_US, 10 * MINUTE_US)
    net.run(15 * MINUTE_US)
    assert second.group.is_member


def test_a_restored_device_makes_no_group_silently(make_net: Any) -> None:
    net = make_net()
    first, restored = net.established("ann"), net.add(net.account("ann"), 1)
    settle(net)
    assert restored.names() == ["group unreadable", "membership groups visible"]
    assert len(net.stored(first.client.account, 21)) == 1
    net.tell(restored, "start-group")
    settle(net)
    assert restored.group.is_member
    assert restored.group.group_id != first.group.group_id
    assert len(first.group.groups(EPOCH_US + net.now_us)) == 2  # the first one is alerted
    assert first.group.is_member
    net.tell(first, "start-group")  # not allowed inside a group: nothing happens
    assert len(first.group.groups(EPOCH_US + net.now_us)) == 2


def test_a_removed_device_gets_no_key_until_it_is_admitted_again(make_net: Any) -> None:
    net = make_net()
    devices, ben = net.linked("ann", 3), net.established("ben")
    lost = devices[2]
    net.tell(devices[0], "remove-device", lost.group.device_id)
    assert devices[0].times(ROTATED)[-1] == net.now_us  # at once
    net.run(2 * DAY_US)
    assert [name for name in lost.names() if "membership" in name][-1] == "membership removed"
    assert lost.group.devices()[lost.group.device_id] is State.KICKED
    newest = {held.seed for held in devices[0].group.seeds if held.rotated_s is None}
    assert not newest & {held.seed for held in lost.group.seeds}
    net.tell(ben, "send", 0, devices[0].client.account.id, "secret")
    settle(net)
    assert [device.bodies for device in devices] == [["secret"], ["secret"], []]
    assert lost.names()[-1] == "locked"
    net.tell(lost, "link", SECOND_US)  # not under its old identity
    net.tell(devices[0], "accept-links", SECOND_US, 10 * MINUTE_US)
    net.run(11 * MINUTE_US)
    assert not lost.group.is_member
    net.tell(lost, "renew-identity")
    net.run(MINUTE_US)
    net.link(devices[0], lost)
    settle(net)
    assert lost.bodies == ["secret"]  # it holds the keys again, those of before included
    assert same_keys(devices)


def test_whoever_leaves_is_followed_by_a_change_of_keys(make_net: Any) -> None:
    net = make_net()
    devices = net.linked("ann", 3)
    gone = devices[1]
    before = devices[0].group.seeds[0]
    net.tell(gone, "leave-group")
    assert gone.group.seeds == ()
    settle(net)
    settle(net)
    stay = [devices[0], devices[2]]
    assert same_keys(stay)
    assert stay[0].group.seeds[0] != before
    assert gone.group.membership(EPOCH_US + net.now_us).value == "groups visible"
    assert len(net.stored(gone.client.account, 21)) == 1
    net.tell(gone, "leave-group")  # it has left: nothing happens
    net.tell(devices[0], "accept-links", SECOND_US, 10 * MINUTE_US)
    net.tell(gone, "link", SECOND_US)
    net.run(11 * MINUTE_US)
    assert not gone.group.is_member  # an id that has gone never comes back


def test_the_last_device_that_leaves_takes_the_group_with_it(make_net: Any) -> None:
    net = make_net()
    ann = net.established("ann")
    net.tell(ann, "leave-group")
    net.run(MINUTE_US)
    assert net.stored(ann.client.account, 21) == []


def test_a_clone_that_changes_the_device_keys_displaces_the_original(make_net: Any) -> None:
    """Whoever copied a device's state can take its place, and is noticed."""
    net = make_net()
    original = net.established("ann")
    twin = net.outside(net.account("ann"), 0)  # the same chance, so the same identity and keys
    twin.establish(EPOCH_US)
    twin._state.group_id = original.group.group_id
    twin._state.seeds.merge(original.group.seeds)
    clone = net.add(net.account("ann"), 1, group=twin)
    assert clone.group.device_id == original.group.device_id
    net.turn(original, on=False)
    net.run(10 * MINUTE_US)
    clone.group.rotate_device_keys(EPOCH_US + net.now_us)
    net.tell(clone, "describe-device", "clone")
    net.run(10 * MINUTE_US)
    net.turn(original, on=True)
    settle(net)
    assert original.names()[-1] == "membership displaced"
    net.tell(original, "renew-identity")
    net.run(MINUTE_US)
    assert original.group.device_id != clone.group.device_id


# ---- A foreign record (hole H8) ----


@pytest.mark.parametrize("reaction", ["ignore", "republish"])
def test_a_rogue_record_stands_until_the_next_change_or_is_replaced_at_once(
    make_net: Any, reaction: str
) -> None:
    net = make_net(foreign_record=reaction)
    ann = net.established("ann")
    net.run(HOUR_US)
    rogue = account_keys(net.world.suite, b"r" * 32).public
    account = ann.client.account
    raw = write_record(account, rogue, None)
    name, now_ms = rpc.message_hash(account.id, ACCOUNT_KEYS, raw), ann.client.wire_ms(net.now_us)
    for node in net.world.nodes.members[net.swarm(account)]:
        store = net.world.machines[node].store
        store.store(account.id, ACCOUNT_KEYS, name, now_ms, now_ms + 30 * DAY_US // 1000, raw, now_ms)
    assert record_of(net, ann) == rogue
    settle(net)
    assert "record foreign" in ann.names()
    assert (record_of(net, ann) == rogue) is (reaction == "ignore")
    net.run(13 * HOUR_US)
    assert record_of(net, ann) == ann.group.account_keys[0].public


def test_hostile_bytes_in_the_own_namespaces_change_nothing(make_net: Any) -> None:
    net = make_net()
    ann = net.established("ann")
    seeds = ann.group.seeds
    for k, junk in enumerate((b"", b"d", b"d0:1:Ge", b"d0:1:Le", b"\0" * 14_000)):
        ann.client.takers[21](rpc.Retrieved(f"{k:043d}", 1, 1, junk), net.now_us)
        ann.client.takers[-21](rpc.Retrieved(f"{k:043d}", 1, 1, junk), net.now_us)
    assert ann.group.seeds == seeds
    assert ann.group.is_member


# ---- Idle polls ----


def test_reads_that_bring_nothing_change_nothing_until_keys_fall_due_but_not_while_a_push_is_owed(
    make_net: Any,
) -> None:
    net = make_net()
    ann = net.established("ann")
    (own,) = [part for part in ann.client.parts if isinstance(part, OwnGroup)]
    net.run(3 * HOUR_US)
    due_us = own.group.next_due_us() - EPOCH_US
    assert own.still_until_us(3 * HOUR_US) == due_us > 3 * HOUR_US
    own.group.rotate_account_keys(own.unix_us(3 * HOUR_US))
    assert own.still_until_us(3 * HOUR_US) is None  # the change is to be told
    assert own.group.take_rotations()
    assert own.still_until_us(3 * HOUR_US) is None  # and pushed
    net.run(4 * HOUR_US)
    assert own.still_until_us(4 * HOUR_US) is not None


def test_while_a_device_is_being_linked_reads_lead_to_more_reads(make_net: Any) -> None:
    net = make_net()
    ann = net.established("ann")
    net.run(3 * HOUR_US)
    (linking,) = [part for part in ann.client.parts if isinstance(part, Linking)]
    assert linking.still_until_us(3 * HOUR_US) == NEVER_US
    linking.commands["accept-links"](MINUTE_US, 10 * MINUTE_US, 3 * HOUR_US)
    assert linking.still_until_us(3 * HOUR_US) is None
