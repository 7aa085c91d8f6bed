"""One config on one device: states, conflicts, lost pushes, groups, dumps; many devices that converge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.configs import Config, ConfigRules, group_config, kinds, user_config
from sessionsim.protocol.configs.dumps import State
from sessionsim.protocol.configs.message import Draft, next_draft, read_message
from sessionsim.protocol.configs.parts import split
from sessionsim.protocol.configs.rules import LSU_2025
from sessionsim.protocol.configs.sealing import decrypt, encrypt, pad, unpad
from sessionsim.protocol.configs.wrapping import unwrapped, wrap
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.compression import compress, decompress

GROUPS = json.loads((Path(__file__).parents[2] / "vectors" / "configs.json").read_text("utf-8"))["groups"]
SUITE = suite_named("sodium")
OWNER = account_from_ed25519_seed(bytes.fromhex("0123456789abcdef" * 2 + "00" * 16))
OTHER = account_from_ed25519_seed(bytes(31) + b"\1")
GROUP = real.ed25519_keypair(bytes.fromhex("0123456789abcdef" * 2 + "fedcba9876543210" * 2))
KEY_A, KEY_B = b"\xaa" * 32, b"\xbb" * 32
DAY_MS = 86_400_000


def device(rules: ConfigRules | None = None) -> Config:
    return user_config(kinds.CONTACTS, SUITE, OWNER, rules)


def admin(*keys: bytes) -> Config:
    return group_config(kinds.GROUP_INFO, SUITE, GROUP.public, keys or (KEY_A,), GROUP)


def reader(*keys: bytes) -> Config:
    return group_config(kinds.GROUP_INFO, SUITE, GROUP.public, keys or (KEY_A,))


def pushed(config: Config) -> bytes:
    (part,) = config.push(0).parts
    return part


def inside(config: Config, stored: bytes) -> bytes:
    """Open a small push without the code under test's way of choosing."""
    message = opened(config, stored)
    return decompress(message[1:], 100_000) if message.startswith(b"z") else message


def opened(config: Config, stored: bytes) -> bytes:
    """Open a small push as far as its compression."""
    sealed = stored if config.kind.of_group else unwrapped(SUITE, OWNER, config.kind, stored)
    return unpad(decrypt(sealed, config.keys[0], config.kind.domain))


# ---- Reading and changing ----


def test_a_new_config_is_empty_clean_and_at_seqno_0() -> None:
    config = device()
    assert (config.seqno, config.data, config.state, config.needs_push) == (0, {}, State.CLEAN, False)
    assert config.push(0).seqno == 0
    assert not config.needs_push


def test_changes_count_as_one_seqno_until_they_are_pushed() -> None:
    config = device()
    config.set(b"a", to=1)
    config.set(b"b", b"c", to=b"x")
    config.set(b"s", to=frozenset((1, b"x")))
    assert (config.seqno, config.state) == (1, State.DIRTY)
    assert config.get(b"b", b"c") == b"x"
    assert config.tree(b"b") == {b"c": b"x"}
    assert config.get(b"b", b"d") is config.get(b"a", b"d") is None
    assert config.tree(b"a") == {}
    push = config.push(0)
    assert (push.seqno, config.state, config.needs_push) == (1, State.WAITING, True)
    config.confirm_pushed(1, ["h"])
    assert (config.state, config.current_hashes) == (State.CLEAN, {"h"})


def test_setting_what_is_there_changes_nothing() -> None:
    config = device()
    config.set(b"a", to={b"x": 1})
    config.confirm_pushed(config.push(0).seqno, ["h"])
    config.set(b"a", to={b"x": 1})
    config.set(b"a", b"x", to=1)
    assert config.erase(b"b") is False
    assert config.erase(b"a", b"y") is False
    assert not config.needs_push
    config.set(b"a", b"x", to=b"1")
    assert config.needs_push


def test_setting_through_a_value_replaces_it_and_an_empty_one_erases() -> None:
    config = device()
    config.set(b"a", to=1)
    config.set(b"a", b"b", to=2)
    assert config.data == {b"a": {b"b": 2}}
    config.set(b"a", to={})
    config.set(b"c", to=frozenset())
    assert config.data == {}


def test_a_value_given_in_is_copied() -> None:
    config, given_value = device(), {b"x": {b"y": 1}}
    config.set(b"a", to=given_value)
    given_value[b"x"][b"y"] = 2
    assert config.get(b"a", b"x", b"y") == 1


@pytest.mark.parametrize("path", [(), ("a",), (b"a", 5)])
def test_a_path_that_is_none_is_our_mistake(path: tuple[Any, ...]) -> None:
    with pytest.raises(LocalProtocolError):
        device().set(*path, to=1)
    with pytest.raises(LocalProtocolError):
        device().set(b"a", to="text")


# ---- Pushing ----


def test_a_push_holds_the_version_and_clean_pushes_repeat_it() -> None:
    config = device()
    config.set(b"a", to=1)
    first = config.push(0)
    message = read_message(inside(config, first.parts[0]))
    assert (message.version.seqno, message.data, message.diff) == (1, {b"a": 1}, {b"a": b""})
    assert config.push(0) == first
    config.confirm_pushed(1, ["h"])
    assert config.push(0) == first
    assert config.state is State.CLEAN


def test_a_change_makes_what_is_stored_obsolete_once() -> None:
    config = device()
    config.set(b"a", to=1)
    config.confirm_pushed(config.push(0).seqno, ["h1"])
    config.set(b"a", to=2)
    assert config.current_hashes == frozenset()
    assert config.push(0).obsolete == ("h1",)
    assert config.push(0).obsolete == ()


def test_a_confirmation_of_an_overtaken_push_counts_for_nothing() -> None:
    config = device()
    config.set(b"a", to=1)
    first = config.push(0)
    config.set(b"a", to=2)
    config.confirm_pushed(first.seqno, ["h1"])
    assert config.state is State.DIRTY
    second = config.push(0)
    config.confirm_pushed(first.seqno, ["h1"])
    assert (second.seqno, config.state) == (2, State.WAITING)


def test_compression_is_used_only_where_it_makes_smaller() -> None:
    small, large = device(), device()
    small.set(b"a", to=1)
    large.set(b"a", to=b"same " * 500)
    assert opened(small, pushed(small)).startswith(b"d")
    assert opened(large, pushed(large)).startswith(b"z")
    assert device().merge([("h", pushed(large))], 0) == {"h"}


def test_what_compression_leaves_as_long_stays_plain() -> None:
    for length in range(300):
        config = device()
        config.set(b"a", to=bytes(range(100, 200)) + b"x" * length)
        message = opened(config, pushed(config))
        raw = inside(config, pushed(config))
        assert message == min(raw, b"z" + compress(raw), key=len)
        if len(raw) == len(compress(raw)) + 1:
            assert message == raw
            return
    raise AssertionError("no message was found whose compression is as long")


# ---- Merging ----


def test_another_device_takes_a_push_as_it_is(swarm: Any) -> None:
    first, second = device(), device()
    first.set(b"a", to=1)
    swarm.push(first)
    (name,) = swarm.stored
    assert swarm.fetch(second) == {name}
    assert (second.data, second.seqno, second.state) == ({b"a": 1}, 1, State.CLEAN)
    assert second.current_hashes == first.current_hashes == {name}
    assert swarm.fetch(second) == {name}
    assert not second.needs_push
    assert second.take_old_hashes() == ()


def test_two_devices_that_change_at_once_push_the_same_bytes(swarm: Any) -> None:
    first, second, third = device(), device(), device()
    first.set(b"both", to=0)
    swarm.push(first)
    swarm.fetch(second)
    first.set(b"a", to=1)
    first.set(b"both", to=1)
    second.set(b"b", to=2)
    second.set(b"both", to=2)
    swarm.push(first)
    swarm.push(second, confirmed=False)
    assert len(swarm.stored) == 2
    for config in (first, second, third):  # clean, waiting, and new
        swarm.fetch(config)
        assert config.state is State.DIRTY
        assert config.seqno == 3
    names = set(swarm.stored)
    pushes = [config.push(0) for config in (first, second, third)]
    assert len({push.parts for push in pushes}) == 1
    for push in pushes:
        assert set(push.obsolete) >= names
    message = read_message(inside(first, pushes[0].parts[0]))
    assert message.diff == {}
    assert {key: message.data[key] for key in (b"a", b"b")} == {b"a": 1, b"b": 2}
    assert message.data[b"both"] in (1, 2)


def test_a_dirty_device_keeps_its_change_when_it_merges(swarm: Any) -> None:
    first, second = device(), device()
    first.set(b"a", to=1)
    swarm.push(first)
    second.set(b"b", to=2)
    swarm.fetch(second)
    assert second.data == {b"a": 1, b"b": 2}
    assert (second.seqno, second.state) == (2, State.DIRTY)
    second.set(b"c", to=3)
    assert second.seqno == 2  # the merge and the change go in one push
    swarm.push(second)
    swarm.fetch(first)
    assert first.data == {b"a": 1, b"b": 2, b"c": 3}
    assert first.state is State.CLEAN


def test_the_same_change_on_two_devices_is_no_conflict(swarm: Any) -> None:
    first, second = device(), device()
    for config in (first, second):
        config.set(b"a", to=1)
    swarm.push(first)
    swarm.fetch(second)
    assert (second.state, second.seqno) == (State.CLEAN, 1)
    assert second.current_hashes == first.current_hashes
    assert second.take_old_hashes() == ()
    first.set(b"b", to=1)
    swarm.push(first)
    swarm.fetch(second)
    assert (second.state, second.seqno) == (State.CLEAN, 2)


def test_the_early_reference_deletes_what_it_stores_when_two_changed_alike(swarm: Any) -> None:
    first, second = device(LSU_2025), device(LSU_2025)
    for config in (first, second):
        config.set(b"a", to=1)
    swarm.push(first)
    (name,) = swarm.stored
    swarm.fetch(second)
    assert second.state is State.DIRTY
    push = second.push(0)
    assert push.obsolete == (name,)
    assert push.parts == (swarm.stored[name],)


def test_a_merge_of_the_early_reference_writes_all_data_as_changed(swarm: Any) -> None:
    first, second, third = device(LSU_2025), device(LSU_2025), device(LSU_2025)
    first.set(b"a", to=1)
    second.set(b"b", to=2)
    swarm.push(first)
    swarm.push(second)
    swarm.fetch(third)
    assert read_message(inside(third, pushed(third))).diff == {b"a": b"", b"b": b""}


def test_of_one_version_stored_twice_the_second_is_obsolete(swarm: Any) -> None:
    first, second = device(), device()
    first.set(b"a", to=1)
    swarm.push(first)
    swarm.fetch(second)
    bare = unwrapped(SUITE, OWNER, kinds.CONTACTS, pushed(first))  # as a client without wrappers stores it
    assert second.merge([("bare", bare)], 0) == {"bare"}
    assert (second.state, second.current_hashes) == (State.CLEAN, set(swarm.stored))
    assert second.take_old_hashes() == ("bare",)


def test_a_message_of_seqno_0_is_accepted_and_changes_nothing() -> None:
    config = device()
    for value in range(50):  # some of them have a higher hash than the empty config
        data = {b"a": value} if value else {}
        stored = foreign(Draft(0, data, {}, {}, {}).finish().raw)
        assert config.merge([("h", stored)], 0) == {"h"}
        assert (config.data, config.state, config.current_hashes) == ({}, State.CLEAN, frozenset())


def test_an_old_version_is_accepted_and_made_obsolete(swarm: Any) -> None:
    first, second = device(), device()
    first.set(b"a", to=1)
    old = pushed(first)
    first.confirm_pushed(1, ["old"])
    first.set(b"a", to=2)
    swarm.push(first)
    swarm.fetch(second)
    assert second.merge([("old", old)], 0) == {"old"}
    assert second.state is State.CLEAN
    assert second.take_old_hashes() == ("old",)
    assert second.take_old_hashes() == ()


def test_a_device_far_behind_drops_its_own_change_as_too_old(swarm: Any) -> None:
    first, second = device(), device()
    second.set(b"b", to=2)
    for value in range(1, 7):
        first.set(b"a", to=value)
        swarm.push(first)
    swarm.fetch(second)
    assert (second.data, second.state) == ({b"a": 6}, State.CLEAN)


def test_a_push_that_was_stored_but_never_confirmed_is_pushed_again_alike(swarm: Any) -> None:
    first, second = device(), device()
    first.set(b"a", to=1)
    swarm.push(first, confirmed=False)
    assert first.state is State.WAITING
    swarm.fetch(first)
    assert first.state is State.WAITING
    before = dict(swarm.stored)
    swarm.push(first)
    assert swarm.stored == before
    assert first.state is State.CLEAN
    swarm.fetch(second)
    assert second.data == {b"a": 1}


def test_the_wrapper_of_an_older_client_is_merged() -> None:
    case = next(case for case in GROUPS["messages:config_message"] if case["name"].startswith("legacy"))
    owner = account_from_ed25519_seed(bytes.fromhex(case["input"]["seed"]))
    config = user_config(kinds.USER_PROFILE, SUITE, owner)
    assert config.merge([("h", bytes.fromhex(case["input"]["wrapped"]))], 0) == {"h"}
    assert (config.seqno, config.state) == (4, State.CLEAN)
    assert set(config.data) <= {b"n", b"p", b"q", b"+"}


def foreign(raw: bytes) -> bytes:
    return wrap(SUITE, OWNER, kinds.CONTACTS, 1, encrypt(pad(raw), OWNER.ed.secret, b"Contacts"))


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        bytes(300),
        b"\xff" * 300,
        wrap(
            SUITE, OTHER, kinds.CONTACTS, 1, encrypt(pad(b"d1:#i1e1:&de1:<le1:=dee"), bytes(32), b"Contacts")
        ),
        foreign(b""),
        foreign(b"x"),
        foreign(b"z"),
        foreign(b"znot zstd"),
        foreign(b"d1:#i1e1:&de1:<le1:=de"),
        foreign(b"m"),
        foreign(b"mle"),
        foreign(b"d1:#i1e1:&d0:dee1:<le1:=dee"),
    ],
)
def test_unreadable_messages_are_passed_over(stored: bytes, swarm: Any) -> None:
    first, second = device(), device()
    first.set(b"a", to=1)
    good = pushed(first)
    assert second.merge([("bad", stored), ("good", good), ("bad too", stored)], 0) == {"good"}
    assert second.data == {b"a": 1}
    assert second.take_old_hashes() == ()
    before = second.dump(0)
    assert second.merge([("bad", stored)], 0) == frozenset()
    assert second.dump(0) == before


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_bytes_under_the_right_key_are_harmless(data: st.DataObject) -> None:
    config = device()
    config.set(b"a", to=1)
    raw = bytearray(read_message(inside(config, pushed(config))).raw)
    at = data.draw(st.integers(0, len(raw)))
    raw[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    device().merge([("h", foreign(bytes(raw)))], 0)
    config.merge([("h", foreign(bytes(raw)))], 0)
    assert config.get(b"a") is not None or config.seqno != 1


# ---- Large configs ----


def large() -> Config:
    config = device()
    config.set(b"noise", to=b"".join(encrypt(b"%d" % i, bytes(32), b"x") for i in range(3000)))
    return config


def test_a_large_config_goes_in_parts_and_comes_back_in_any_order(swarm: Any) -> None:
    config, other = large(), device()
    push = config.push(0)
    assert [len(part) for part in push.parts][:-1] == [76_800]
    names = [f"h{index}" for index in range(len(push.parts))]
    config.confirm_pushed(push.seqno, names)
    assert config.current_hashes == config.active_hashes(0) == set(names)
    fetched = list(zip(names, push.parts, strict=True))
    assert other.merge(fetched[1:], 0) == {"h1"}
    assert (other.data, other.active_hashes(0), other.current_hashes) == ({}, {"h1"}, frozenset())
    assert other.merge(fetched[:1], 0) == {"h0"}
    assert other.data == config.data
    assert other.current_hashes == set(names)
    assert config.merge(fetched, 0) == set(names)
    assert not config.needs_push
    other.set(b"more", to=1)
    assert other.push(0).obsolete == tuple(names)


def test_an_early_client_neither_writes_nor_reads_parts() -> None:
    config, early = large(), device(LSU_2025)
    parts = config.push(0).parts
    assert early.merge([(str(i), part) for i, part in enumerate(parts)], 0) == frozenset()
    early.set(b"noise", to=config.get(b"noise"))
    with pytest.raises(LocalProtocolError, match="too large"):
        early.push(0)


def test_a_whole_that_is_no_config_takes_the_acceptance_of_its_parts_back() -> None:
    whole = pad(b"d1:#i1e" + bytes(range(1, 256)) * 400)
    parts = [encrypt(part, OWNER.ed.secret, b"Contacts") for part in split(whole)]
    config = device()
    assert config.merge([(str(i), part) for i, part in enumerate(parts)], 0) == frozenset()
    assert config.seqno == 0


def test_a_config_that_fits_but_not_with_its_wrapper_goes_without() -> None:
    config = device()
    size = 76_800 - 40 - 260
    config.set(b"noise", to=b"".join(encrypt(b"%d" % i, bytes(32), b"y") for i in range(2000))[:size])
    (part,) = config.push(0).parts
    assert len(part) == 76_800
    other = device()
    assert other.merge([("h", part)], 0) == {"h"}
    assert other.data == config.data


def test_a_config_beyond_all_parts_is_refused() -> None:
    config = device()
    config.set(b"noise", to=b"".join(encrypt(b"%d" % i, bytes(32), b"z") for i in range(120_000)))
    with pytest.raises(LocalProtocolError, match="too large"):
        config.push(0)


# ---- Groups ----


def test_an_admins_config_is_signed_and_a_member_reads_it() -> None:
    config, member = admin(), reader()
    config.set(b"n", to=b"GROUP Name")
    stored = pushed(config)
    assert len(stored) == 256
    assert inside(config, stored)[-71:].startswith(b"1:~64:")
    assert member.merge([("h", stored)], 0) == {"h"}
    assert member.get(b"n") == b"GROUP Name"
    assert (member.state, member.push(0).parts) == (State.CLEAN, (stored,))


def test_a_member_cannot_change_anything_but_may_set_what_is_there() -> None:
    config, member = admin(), reader()
    config.set(b"n", to=b"name")
    member.merge([("h", pushed(config))], 0)
    member.set(b"n", to=b"name")
    for change in (lambda: member.set(b"n", to=b"other"), lambda: member.erase(b"n")):
        with pytest.raises(LocalProtocolError):
            change()
    assert not member.needs_push


def test_a_config_signed_by_nobody_or_by_somebody_else_is_refused() -> None:
    stranger = real.ed25519_keypair(bytes(32))
    for sign in (None, lambda signed: real.ed25519_sign(stranger, signed)):
        forged = Draft(1, {b"n": b"BAD"}, {}, {}, {}).finish(sign).raw
        assert reader().merge([("h", encrypt(pad(forged), KEY_A, b"groups::Info"))], 0) == frozenset()


def test_members_take_the_highest_in_any_order_and_admins_merge_alike() -> None:
    first, second = admin(), admin()
    first.set(b"n", to=b"one")
    first.confirm_pushed(first.push(0).seqno, ["h1"])
    second.merge([("h1", pushed(first))], 0)
    first.set(b"n", to=b"two")
    second.set(b"n", to=b"three")
    fetched = [("a", pushed(first)), ("b", pushed(second))]
    rivals = [
        read_message(inside(config, stored))
        for config, (_, stored) in zip((first, second), fetched, strict=True)
    ]
    highest = max(rivals, key=lambda message: message.version)
    for order in (fetched, fetched[::-1]):
        together, apart = reader(), reader()
        assert together.merge(order, 0) == {"a", "b"}
        for one in order:
            apart.merge([one], 0)
        assert together.data == apart.data == highest.data
        assert together.push(0).obsolete == ()
    first.merge(fetched, 0)
    second.merge(fetched, 0)
    assert first.push(0) == second.push(0)
    assert first.seqno == 3


def test_all_group_keys_are_tried_and_the_first_encrypts() -> None:
    config, member = admin(KEY_B, KEY_A), reader(KEY_A)
    config.set(b"n", to=b"name")
    stored = pushed(config)
    assert member.merge([("h", stored)], 0) == frozenset()
    member.replace_keys([KEY_A, KEY_B])
    assert member.merge([("h", stored)], 0) == {"h"}


def test_a_rekey_makes_an_admins_config_dirty_and_no_members() -> None:
    config, member = admin(KEY_A), reader(KEY_A)
    config.set(b"n", to=b"name")
    config.confirm_pushed(config.push(0).seqno, ["h"])
    for one in (config, member):
        one.replace_keys([KEY_A, KEY_B], dirty=True)
        assert not one.needs_push
        one.replace_keys([KEY_B, KEY_A], dirty=True)
    assert (config.state, config.seqno) == (State.DIRTY, 2)
    assert not member.needs_push
    push = config.push(0)
    assert push.obsolete == ("h",)
    decrypt(push.parts[0], KEY_B, b"groups::Info")


def test_without_a_key_nothing_can_be_pushed_or_merged() -> None:
    config = group_config(kinds.GROUP_MEMBERS, SUITE, GROUP.public, [], GROUP)
    config.set(b"m", to={b"x": 1})
    for call in (lambda: config.push(0), lambda: config.merge([], 0)):
        with pytest.raises(LocalProtocolError):
            call()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Config(kinds.CONTACTS, SUITE, [KEY_A]),
        lambda: Config(kinds.CONTACTS, SUITE, [KEY_A], owner=OWNER, group=GROUP.public),
        lambda: Config(kinds.GROUP_INFO, SUITE, [KEY_A]),
        lambda: Config(kinds.GROUP_INFO, SUITE, [KEY_A], owner=OWNER),
        lambda: Config(kinds.GROUP_INFO, SUITE, [KEY_A], group=OTHER.ed.public, signer=GROUP),
        lambda: group_config(kinds.GROUP_INFO, SUITE, GROUP.public, [KEY_A[:31]]),
    ],
)
def test_what_does_not_fit_together_is_our_mistake(make: Callable[[], Config]) -> None:
    with pytest.raises(LocalProtocolError):
        make()


# ---- Keeping ----


def test_a_dump_has_the_form_of_the_reference() -> None:
    config = device()
    config.set(b"a", to=1)
    config.push(0)
    raw = read_message(inside(config, pushed(config))).raw
    held = b"1:$%d:%b" % (len(raw), raw)
    assert config.dump(0) == b"d1:!i2e" + held + b"1:(le1:)le1:*de1:+dee"
    config.confirm_pushed(1, ["fakehash1"])
    assert config.dump(0) == b"d1:!i0e" + held + b"1:(l9:fakehash1e1:)le1:*de1:+dee"


@pytest.mark.parametrize("make", [device, admin])
def test_a_clean_or_waiting_config_pushes_the_same_after_a_dump(make: Callable[[], Config]) -> None:
    config = make()
    config.set(b"n", to=b"name")
    push = config.push(0)
    for state in (State.WAITING, State.CLEAN):
        again = make()
        again.load(config.dump(0), 0)
        assert (again.state, again.seqno, again.data) == (state, 1, config.data)
        assert again.current_hashes == config.current_hashes
        assert again.push(0).parts == push.parts
        config.confirm_pushed(1, ["h"])
    again.set(b"n", to=b"other")
    config.set(b"n", to=b"other")
    assert again.push(0) == config.push(0)
    assert again.push(0).obsolete == ()


def test_a_member_keeps_the_admins_signature_through_a_dump() -> None:
    config, member, again = admin(), reader(), reader()
    config.set(b"n", to=b"name")
    stored = pushed(config)
    member.merge([("h", stored)], 0)
    again.load(member.dump(0), 0)
    assert again.push(0).parts == (stored,)


def test_a_dirty_config_comes_back_one_seqno_later() -> None:
    config, again = device(), device()
    config.set(b"a", to=1)
    again.load(config.dump(0), 0)
    assert (again.state, again.seqno, again.data) == (State.DIRTY, 2, {b"a": 1})
    other = device()
    assert other.merge([("h", pushed(again))], 0) == {"h"}
    assert other.data == {b"a": 1}


def test_waiting_parts_and_obsolete_hashes_survive_a_dump() -> None:
    push = large().push(0)
    config, again = device(), device()
    config.merge([("h0", push.parts[0])], 0)
    config.set(b"a", to=1)
    config.confirm_pushed(config.push(0).seqno, ["own"])
    config.set(b"a", to=2)
    config.push(0)
    config.set(b"a", to=3)
    again.load(config.dump(0), 0)
    assert again.active_hashes(0) == {"h0"}
    again.merge([("h1", push.parts[1])], 0)
    assert again.get(b"noise") is not None
    late = device()
    late.load(config.dump(0), 8 * DAY_MS)
    assert late.active_hashes(8 * DAY_MS) == frozenset()


GOOD_DUMP = device().dump(0)


@pytest.mark.parametrize(
    "dump",
    [
        b"",
        b"de",
        b"le",
        GOOD_DUMP[:-1],
        GOOD_DUMP.replace(b"i0e1:$", b"i9e1:$"),
        GOOD_DUMP.replace(b"i0e1:$", b"0:1:$"),
        GOOD_DUMP.replace(b"1:(le", b"1:(i1e"),
        GOOD_DUMP.replace(b"1:(le", b"1:(l1:\xffe"),
        GOOD_DUMP.replace(b"1:)le", b"1:)lleee"),
        GOOD_DUMP.replace(b"1:*de", b"1:*le"),
        GOOD_DUMP.replace(b"1:*de", b"1:*d1:xi1ee"),
        GOOD_DUMP.replace(b"1:*de", b"1:*d1:xd1:#i2e1:Ti1e1:pl0:eee"),
        bencode.encode({**bencode.decode(GOOD_DUMP), b"$": b"de"}),
        bencode.encode({**bencode.decode(GOOD_DUMP), b"$": 5}),
    ],
)
def test_a_damaged_dump_is_refused_and_changes_nothing(dump: bytes) -> None:
    config = device()
    config.set(b"a", to=1)
    before = config.dump(0)
    with pytest.raises(LocalProtocolError):
        config.load(dump, 0)
    assert config.dump(0) == before


# ---- Many devices ----

STEPS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(b"abc"), st.integers(0, 3)),
    st.tuples(st.just("nest"), st.sampled_from(b"abc"), st.sampled_from(b"xy")),
    st.tuples(st.just("collect"), st.sampled_from(b"abc"), st.integers(0, 3)),
    st.tuples(st.just("erase"), st.sampled_from(b"abc"), st.just(0)),
    st.tuples(st.just("push"), st.sampled_from(("stored", "unconfirmed", "lost")), st.just(0)),
    st.tuples(st.just("fetch"), st.just(0), st.just(0)),
    st.tuples(st.just("fetch one"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
)


def act(config: Config, step: tuple[str, Any, Any], swarm: Any, make: Callable[[], Config]) -> Config:
    """Let one thing happen on a device; gives the device, which a restart replaces."""
    what, first, second = step
    if what == "set":
        config.set(bytes([first]), to=second)
    elif what == "nest":
        config.set(bytes([first]), bytes([second]), to=b"")
    elif what == "collect":
        held = config.get(bytes([first]))
        config.set(bytes([first]), to=(held if type(held) is frozenset else frozenset()) ^ {second})
    elif what == "erase":
        config.erase(bytes([first]))
    elif what == "push" and config.needs_push:
        swarm.push(config, confirmed=first == "stored", stored=first != "lost")
    elif what == "fetch":
        swarm.fetch(config)
    elif what == "fetch one" and swarm.stored:
        names = sorted(swarm.stored)
        name = names[first % len(names)]
        config.merge([(name, swarm.stored[name])], 0)
    elif what == "restart":
        again = make()
        again.load(config.dump(0), 0)
        return again
    return config


@pytest.mark.parametrize("make", [device, admin], ids=["account", "group"])
@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(2, 3),
    steps=st.lists(st.tuples(st.integers(0, 2), STEPS), max_size=25),
    order=st.randoms(use_true_random=False),
)
def test_devices_that_change_push_lose_and_fetch_at_random_end_with_the_same_bytes(
    make: Callable[[], Config], count: int, steps: list[Any], order: Random, make_swarm: Callable[[], Any]
) -> None:
    swarm = make_swarm()
    devices = [make() for _ in range(count)]
    for number, step in steps:
        devices[number % count] = act(devices[number % count], step, swarm, make)
    for _ in range(8):
        for config in devices:
            swarm.fetch(config, order)
            if config.needs_push:
                swarm.push(config)
    assert not any(config.needs_push for config in devices)
    assert len({config.push(0).parts for config in devices}) == 1
    assert all(config.data == devices[0].data for config in devices)
    # A new device finds the same in the swarm.
    fresh = make()
    swarm.fetch(fresh)
    assert fresh.data == devices[0].data
    assert not fresh.needs_push


def test_a_config_in_the_fast_suite_is_as_large_and_merges_alike() -> None:
    sizes = []
    for suite in (SUITE, suite_named("fast")):
        first, second = (user_config(kinds.CONTACTS, suite, OWNER) for _ in range(2))
        first.set(b"a", to=1)
        stored = pushed(first)
        assert second.merge([("h", stored)], 0) == {"h"}
        assert second.push(0).parts == (stored,)
        sizes.append(len(stored))
    assert sizes[0] == sizes[1]


def test_the_next_draft_of_a_pushed_version_names_it(swarm: Any) -> None:
    config = device()
    config.set(b"a", to=1)
    swarm.push(config)
    message = read_message(inside(config, pushed(config)))
    config.set(b"b", to=1)
    after = read_message(inside(config, pushed(config)))
    assert after.lags == next_draft(message).lags
    assert list(after.lags)[-1] == message.version
