"""Device group messages: sizes of the table, who can read, what the slots hide, hostile bytes."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed
from sessionsim.protocol.v2.devices.group_id import created_minute, crypt_group_id, new_group_id
from sessionsim.protocol.v2.devices.group_message import draw_random, write_group_message
from sessionsim.protocol.v2.devices.group_reading import (
    NotReadable,
    names_kicked,
    open_payload,
    read_group_message,
)
from sessionsim.protocol.v2.devices.payload import Tombstone, encode_payload
from sessionsim.protocol.v2.devices.record import DeviceRecord, State
from sessionsim.protocol.v2.devices.slots import slots_for
from sessionsim.protocol.v2.keys import PublicKeys, account_keys, device_keys
from sessionsim.protocol.v2.seed_ring import AccountSeed
from sessionsim.protocol.wire import bencode, signed_dict

NOW_S = 1_777_000_000
GROUP_ID = b"\x01\x02\x03\x04rand"


def seeds(count: int = 33) -> list[AccountSeed]:
    times = [NOW_S - 43_200 * k for k in range(count + 1)]
    return [AccountSeed(bytes([k]) * 32, times[k + 1], times[k] if k else None) for k in range(count)]


def group(cast: Any, registered: int, kicked: int = 0, left: int = 0) -> tuple[list[Any], dict[bytes, Any]]:
    """Give the keys of the registered devices, and what a message says."""
    own = [device_keys(cast.suite, cast.raw(("device", k), 32)) for k in range(registered)]
    said: dict[bytes, Any] = {
        bytes([k]) * 32: DeviceRecord(1234, NOW_S, keys.public, b"d" * 28, b"i", 2_025_000)
        for k, keys in enumerate(own)
    }
    said |= {bytes([100 + k]) * 32: Tombstone(State.KICKED, NOW_S) for k in range(kicked)}
    said |= {bytes([200 + k]) * 32: Tombstone(State.LEFT, NOW_S) for k in range(left)}
    return own, said


def written(cast: Any, said: dict[bytes, Any], luck: object = 0, held: Any = None) -> bytes:
    registered = sum(isinstance(one, DeviceRecord) for one in said.values())
    kicked = sum(isinstance(one, Tombstone) and one.state is State.KICKED for one in said.values())
    random = draw_random(Entropy(cast.raw(("luck", luck), 32)), b"test", registered, kicked)
    return write_group_message(cast.suite, cast.alice, GROUP_ID, said, held or seeds(), random)


@pytest.mark.parametrize(
    ("registered", "kicked", "size", "base64"),
    [(1, 0, 13_393, 17_860), (4, 0, 13_393, 17_860), (4, 1, 13_463, 17_952),
     (5, 0, 24_282, 32_376), (8, 0, 24_282, 32_376), (12, 0, 35_171, 46_896)],
)  # fmt: skip
def test_sizes_of_the_specification(cast: Any, registered: int, kicked: int, size: int, base64: int) -> None:
    # protocol-v2 section 8.2.
    raw = written(cast, group(cast, registered, kicked)[1])
    assert (len(raw), len(b64encode(raw))) == (size, base64)


def test_up_to_28_devices_fit_into_a_swarm(fast: Any) -> None:
    # protocol-v2 section 8.2, against the limit of 76,800 bytes, as it is stored: in base64 that is more.
    sizes = {count: len(written(fast, group(fast, count)[1])) for count in (24, 28, 29)}
    assert sizes[28] <= 76_800 < sizes[29]


def test_steady_state_bytes_of_an_account_day(fast: Any) -> None:
    # protocol-v2 section 13: two pushes of a group message and a record, for one to four devices.
    record = 1302
    for devices in (1, 4):
        message = len(written(fast, group(fast, devices)[1]))
        assert 2 * (message + record) == 29_390
        assert message + record == 14_695  # stored
        assert 2 * message == 26_786  # downloaded by each further device
    accounts, replicas, nodes = 1_000_000, 7, 1_500
    assert accounts * 29_390 / 1e9 == pytest.approx(29.4, abs=0.05)
    assert accounts * 29_390 * replicas / 1e9 == pytest.approx(206, abs=0.5)
    assert accounts * 14_695 * replicas / 1e9 == pytest.approx(103, abs=0.5)
    assert accounts * 14_695 * replicas / nodes / 1e6 == pytest.approx(69, abs=0.5)
    assert accounts * 29_390 * replicas / nodes / 86_400 / 1e3 == pytest.approx(1.6, abs=0.05)


def test_every_registered_device_reads_it_and_nobody_else(cast: Any) -> None:
    own, said = group(cast, 5, kicked=2, left=1)
    message = read_group_message(cast.suite, cast.alice, written(cast, said))
    slots = set()
    for keys in own:
        stranger = device_keys(cast.suite, cast.raw("stranger", 32))
        payload, slot = open_payload(cast.suite, [stranger, keys], message)
        assert payload == encode_payload(said, seeds())
        slots.add(slot)
    assert len(slots) == 5
    with pytest.raises(NotReadable):
        open_payload(cast.suite, [device_keys(cast.suite, cast.raw("stranger", 32))], message)
    with pytest.raises(NotReadable):
        open_payload(cast.suite, [], message)
    assert message.group_id == GROUP_ID
    assert message.link_x == account_keys(cast.suite, seeds()[0].seed).x.public


def test_kicked_devices_are_named_and_others_are_not(cast: Any) -> None:
    _own, said = group(cast, 1, kicked=2, left=1)
    message = read_group_message(cast.suite, cast.alice, written(cast, said))
    named = {device_id[0] for device_id in said if names_kicked(cast.alice, message, device_id)}
    assert named == {100, 101}
    assert len(message.removals) == 4 * 16
    assert read_group_message(cast.suite, cast.alice, written(cast, group(cast, 1)[1])).removals == b""


def test_slots_are_a_multiple_of_four_and_recipients_fall_anywhere(fast: Any) -> None:
    assert [slots_for(k) for k in (0, 1, 4, 5, 8, 9)] == [0, 4, 4, 8, 8, 12]
    own, said = group(fast, 2, kicked=1)
    places, removals = Counter[tuple[int, ...]](), Counter[int]()
    for luck in range(240):
        message = read_group_message(fast.suite, fast.alice, written(fast, said, luck))
        assert len(message.ciphertexts) == len(message.keys) == 4
        places[tuple(open_payload(fast.suite, [keys], message)[1] for keys in own)] += 1
        entries = [message.removals[at : at + 16] for at in range(0, 64, 16)]
        removals[next(k for k, e in enumerate(entries) if _is_entry(fast, message, e))] += 1
    # Twelve ordered pairs of four slots, 20 each expected: chi-squared with 11 degrees of freedom, p = 0.001.
    assert sum((places[pair] - 20) ** 2 / 20 for pair in places) + 20 * (12 - len(places)) < 31.3
    assert sum((removals[k] - 60) ** 2 / 60 for k in range(4)) < 16.3


def _is_entry(cast: Any, message: Any, entry: bytes) -> bool:
    return names_kicked(cast.alice, message._replace(removals=entry), b"\x64" * 32)


def test_two_messages_of_one_content_share_only_what_is_public(fast: Any) -> None:
    own, said = group(fast, 3, kicked=1)
    one, other = (bencode.decode(written(fast, said, luck)) for luck in range(2))
    assert {key for key in one if one[key] == other[key]} == {b"", b"X"}
    assert len(own) == 3


def test_a_device_with_impossible_keys_gets_no_slot_and_stops_nobody(cast: Any) -> None:
    own, said = group(cast, 2)
    said[b"\x50" * 32] = DeviceRecord(1, NOW_S, PublicKeys(b"\xff" * 1184, own[0].x.public))
    message = read_group_message(cast.suite, cast.alice, written(cast, said))
    assert open_payload(cast.suite, [own[1]], message)[0] == encode_payload(said, seeds())


def test_a_changed_ciphertext_of_any_slot_spoils_it_for_all(fast: Any) -> None:
    own, said = group(fast, 2)
    message = read_group_message(fast.suite, fast.alice, written(fast, said))
    slot = open_payload(fast.suite, [own[0]], message)[1]
    for k in range(4):
        if k != slot:
            changed = [bytes(1088) if k == at else one for at, one in enumerate(message.ciphertexts)]
            with pytest.raises(NotReadable):
                open_payload(fast.suite, [own[0]], message._replace(ciphertexts=tuple(changed)))


def test_another_account_and_altered_bytes_are_refused(cast: Any) -> None:
    raw = written(cast, group(cast, 1)[1])
    with pytest.raises(CannotOpen):
        read_group_message(cast.suite, cast.bob, raw)
    for place in (8, 30, 500, 5_000, len(raw) - 30):
        altered = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(RemoteProtocolError):
            read_group_message(cast.suite, cast.alice, altered)


@pytest.mark.parametrize(
    "change",
    [
        {b"": b"L"},
        {b"A": b"A" * 31},
        {b"C": bytes(1087)},
        {b"C": bytes(8 * 1088)},
        {b"K": bytes(35)},
        {b"d": bytes(16)},
        {b"d": 5},
        {b"k": 5},
        {b"@": bytes(7)},
        {b"X": bytes(31)},
        {b"A": None},
        {b"d": None},
    ],
)
def test_structures_that_are_none_are_refused_though_signed(fast: Any, change: dict[bytes, Any]) -> None:
    fields = bencode.decode(written(fast, group(fast, 1)[1])) | change
    kept = {key: value for key, value in fields.items() if value is not None and key != b"~"}
    signed = signed_dict.append(
        bencode.encode(kept), b"~", lambda part: real.ed25519_sign(fast.alice.ed, part)
    )
    with pytest.raises(RemoteProtocolError):
        read_group_message(fast.suite, fast.alice, signed)


def test_messages_of_before_there_were_ids_are_read(fast: Any) -> None:
    own, said = group(fast, 1)
    fields = {k: v for k, v in bencode.decode(written(fast, said)).items() if k not in (b"~", b"@", b"X")}
    signed = signed_dict.append(
        bencode.encode(fields), b"~", lambda part: real.ed25519_sign(fast.alice.ed, part)
    )
    message = read_group_message(fast.suite, fast.alice, signed)
    assert (message.group_id, message.link_x) == (b"", b"")
    assert open_payload(fast.suite, own, message)[0] == encode_payload(said, seeds())


SUITE, ACCOUNT = suite_named("fast"), account_from_ed25519_seed(b"a" * 32)


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=80, derandomize=True)
def test_hostile_bytes_give_one_kind_of_error(raw: bytes) -> None:
    signed = signed_dict.append(
        b"d0:1:G1:A32:" + raw.ljust(32, b"\0")[:32] + b"e", b"~", lambda p: real.ed25519_sign(ACCOUNT.ed, p)
    )
    for hostile in (raw, b"d0:1:G" + raw, signed):
        with pytest.raises(RemoteProtocolError):
            read_group_message(SUITE, ACCOUNT, hostile)


def test_wrong_use_is_our_mistake(fast: Any) -> None:
    _own, said = group(fast, 1, kicked=1)
    random = draw_random(Entropy(b"e" * 32), b"test", 1, 1)
    with pytest.raises(LocalProtocolError):  # no active seed
        write_group_message(fast.suite, fast.alice, GROUP_ID, said, seeds()[1:], random)
    for recipients, kicked in ((2, 1), (1, 0)):
        other = draw_random(Entropy(b"e" * 32), b"test", recipients, kicked)
        with pytest.raises(LocalProtocolError):
            write_group_message(fast.suite, fast.alice, GROUP_ID, said, seeds(), other)
    with pytest.raises(LocalProtocolError):
        new_group_id(0, b"xyz")


def test_group_ids_tell_their_minute_and_hide_under_the_account_seed(fast: Any) -> None:
    group_id = new_group_id(NOW_S * 1_000_000, b"rand")
    assert created_minute(group_id) == NOW_S // 60
    hidden = {crypt_group_id(group_id, bytes([k]) * 32, b"s" * 32) for k in range(8)}
    assert len(hidden) == 8
    assert crypt_group_id(crypt_group_id(group_id, b"e" * 32, b"s" * 32), b"e" * 32, b"s" * 32) == group_id
    assert crypt_group_id(group_id, b"e" * 32, b"t" * 32) != crypt_group_id(group_id, b"e" * 32, b"s" * 32)
