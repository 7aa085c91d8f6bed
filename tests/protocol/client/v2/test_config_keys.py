"""Configs under the device group's keys (hole H9, what if): who reads them, who does not, what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.protocol.configs import KINDS, shared_config, user_config
from sessionsim.protocol.namespaces import USER_PROFILE
from sessionsim.protocol.v2.config_keys import config_key

SECOND_US, MINUTE_US, HOUR_US = 1_000_000, 60_000_000, 3_600_000_000
EPOCH_MS = 1_777_000_000_000
WHAT_IF = "device-group"
KIND = KINDS[USER_PROFILE]


def rename(net: Any, device: Any, number: int) -> None:
    """Take another name and let the others poll."""
    net.tell(device, "config-change", number, "name", number, None)
    net.run(45 * MINUTE_US)


def name(device: Any) -> str:
    return str(device.configs.held.profile.name)


def opens(net: Any, device: Any, stored: bytes, seed: bytes | None) -> bool:
    """Say whether a stored profile opens with the key of a seed, or with the account's own (version 1)."""
    suite, account = net.world.suite, device.client.account
    if seed is None:
        config = user_config(KIND, suite, account)
    else:
        config = shared_config(KIND, suite, account, [config_key(seed)])
    return bool(config.merge([("x", stored)], EPOCH_MS))


@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_the_other_devices_read_a_change_and_the_words_alone_do_not(make_net: Any, suite: str) -> None:
    net = make_net(suite, groups_and_configs=WHAT_IF)
    first, second = net.linked("ann", 2, configs=True)
    rename(net, first, 1)
    assert name(first) == name(second) != "Ann"
    (stored,) = net.stored(first.client.account, USER_PROFILE)
    assert opens(net, first, stored, first.group.seeds[0].seed)
    assert not opens(net, first, stored, None)


def test_by_default_the_words_open_them(make_net: Any) -> None:
    net = make_net()
    first, second = net.linked("ann", 2, configs=True)
    rename(net, first, 1)
    assert name(first) == name(second) != "Ann"
    (stored,) = net.stored(first.client.account, USER_PROFILE)
    assert opens(net, first, stored, None)
    assert not opens(net, first, stored, first.group.seeds[0].seed)


def test_without_the_wrapper_of_older_clients_a_config_is_smaller(make_net: Any) -> None:
    sizes = []
    for how in ("v1", WHAT_IF):
        net = make_net(groups_and_configs=how)
        ann = net.established("ann", configs=True)
        rename(net, ann, 1)
        (stored,) = net.stored(ann.client.account, USER_PROFILE)
        sizes.append(len(stored))
    # A step of 256 bytes; the wrapper adds 176 to the smallest (messages 5.4, 5.5).
    assert sizes == [256 + 176, 256]


def test_who_changes_the_keys_pushes_the_configs_again_once(make_net: Any) -> None:
    net = make_net(groups_and_configs=WHAT_IF)
    first, second = net.linked("ann", 2, configs=True)
    rename(net, first, 1)
    (before,) = net.stored(first.client.account, USER_PROFILE)
    old = first.group.seeds[0].seed
    net.run(14 * HOUR_US)
    assert first.group.seeds[0].seed != old
    (after,) = net.stored(first.client.account, USER_PROFILE)
    assert opens(net, first, before, old)
    assert not opens(net, first, after, old)
    assert opens(net, first, after, first.group.seeds[0].seed)
    assert name(first) == name(second) != "Ann"
    assert first.configs.held.profile.config.seqno == second.configs.held.profile.config.seqno == 2
    assert not second.configs.held.profile.config.needs_push


def test_by_default_a_change_of_keys_pushes_no_config(make_net: Any) -> None:
    net = make_net()
    ann = net.established("ann", configs=True)
    rename(net, ann, 1)
    before = net.stored(ann.client.account, USER_PROFILE)
    net.run(14 * HOUR_US)
    assert net.stored(ann.client.account, USER_PROFILE) == before
    assert "account keys changed" in ann.names()


@pytest.mark.parametrize(("how", "reads"), [(WHAT_IF, False), ("v1", True)])
def test_a_removed_device_reads_no_later_change_unless_the_words_open_it(
    make_net: Any, how: str, reads: bool
) -> None:
    net = make_net(groups_and_configs=how)
    first, second, lost = net.linked("ann", 3, configs=True)
    rename(net, first, 1)
    assert name(lost) == name(first)
    net.tell(first, "remove-device", lost.group.device_id)
    net.run(MINUTE_US)
    rename(net, first, 2)
    assert name(second) == name(first)
    assert (name(lost) == name(first)) is reads
    (stored,) = net.stored(first.client.account, USER_PROFILE)
    held = [seed.seed for seed in lost.group.seeds]
    assert any(opens(net, first, stored, seed) for seed in (*held, None)) is reads


def test_a_removed_device_pushes_nothing_over_what_the_others_have(make_net: Any) -> None:
    net = make_net(groups_and_configs=WHAT_IF)
    first, lost = net.linked("ann", 2, configs=True)
    rename(net, first, 1)
    net.tell(first, "remove-device", lost.group.device_id)
    net.run(45 * MINUTE_US)
    before = net.stored(first.client.account, USER_PROFILE)
    rename(net, lost, 7)
    assert net.stored(first.client.account, USER_PROFILE) == before
    assert [log for log in lost.logs if log[1] == "stored"] == []


def test_a_device_reads_and_pushes_once_it_is_linked(make_net: Any) -> None:
    net = make_net(groups_and_configs=WHAT_IF)
    first = net.established("ann", configs=True)
    rename(net, first, 1)
    new = net.add(first.client.account, 1, configs=True)
    rename(net, new, 5)  # waits until it is in the group
    assert name(first).endswith(" 2")
    net.link(first, new)
    net.run(45 * MINUTE_US)
    assert name(first) == name(new)
    assert not any(config.needs_push for config in (*new.configs.held.all, *first.configs.held.all))


def test_a_device_that_was_away_reads_what_is_under_keys_that_it_learns_of(make_net: Any) -> None:
    net = make_net(groups_and_configs=WHAT_IF)
    first, second = net.linked("ann", 2, configs=True)
    net.turn(second, on=False)
    net.run(60 * HOUR_US)
    rename(net, first, 3)
    net.turn(second, on=True)
    net.run(45 * MINUTE_US)
    assert name(second) == name(first) != "Ann"


def test_what_no_key_opens_yet_waits_and_is_told_once(make_net: Any) -> None:
    net = make_net(groups_and_configs=WHAT_IF)
    first, second = net.linked("ann", 2, configs=True)
    rename(net, first, 1)
    first.group.rotate_account_keys((EPOCH_MS * 1000) + net.now_us)
    # The config reaches the other device before the group's message does.
    first.configs.rekey([config_key(seed.seed) for seed in first.group.seeds], net.now_us, made_here=True)
    config = first.configs.held.profile.config
    (part,) = config.push(EPOCH_MS).parts
    taken = second.client.takers[USER_PROFILE]
    retrieved = type("Retrieved", (), {"hash": "h" * 43, "data": part})
    do = net._do
    at = net._endpoint(second)
    do(at, taken(retrieved, net.now_us))
    do(at, second.client.read_to_end[USER_PROFILE](net.now_us))
    do(at, second.client.read_to_end[USER_PROFILE](net.now_us))
    assert second.values("config locked") == [len(part)]
    net.tell(first, "describe-device", "new")  # pushes the group's message
    net.run(45 * MINUTE_US)
    assert second.values("config unlocked") == [len(part)]
    assert second.configs.held.profile.config.seqno >= 2
