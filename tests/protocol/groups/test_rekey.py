"""Keys messages: the reference's bytes, sizes, who can open them, supplements, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.crypto.deterministic import stretch
from sessionsim.protocol.groups import GroupKey, group_from_seed, open_keys, rekey, supplement
from sessionsim.protocol.groups.derivation import fresh_key
from sessionsim.protocol.groups.keys_message import Rekey, Supplement, decode, encode
from sessionsim.protocol.groups.supplement import keys_of_entry
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.wire import bencode

FOLDER = Path(__file__).parents[2] / "vectors"
GROUPS = json.loads((FOLDER / "groups.json").read_text("utf-8"))["groups"]
REAL = suite_named("sodium", memo=False)
GROUP = group_from_seed(b"hostile group".ljust(32))
FAST = suite_named("fast")
ALICE = account_from_seed(b"a" * 16)
MADE = rekey(FAST, GROUP, [ALICE.id], 0).message


def members(cast: Any, count: int) -> list[bytes]:
    return [cast.account(n).id for n in range(count)]


# ---- Reference values ----


def test_rekey_of_the_independent_script() -> None:
    case = next(case for case in GROUPS["messages:groups"] if "rekey" in case["name"])
    group = group_from_seed(bytes.fromhex(case["input"]["group_seed"]))
    ids = [bytes.fromhex(member) for member in case["input"]["members"]]
    made = rekey(REAL, group, ids, case["input"]["generation"])
    assert made.key.hex() == case["expected"]["group_key"]
    assert len(made.message) == case["expected"]["message_len"]
    digest = hashlib.blake2b(made.message, digest_size=32).hexdigest()
    assert digest == case["expected"]["message_blake2b32"]


def test_deterministic_bytes_are_the_key_stream_that_libsodium_documents() -> None:
    # The AEAD of this cipher encrypts from block 1 on: from zeros comes the second block of the stream.
    seed = bytes(range(32))
    sealed = bindings.crypto_aead_chacha20poly1305_ietf_encrypt(bytes(64), None, b"LibsodiumDRG", seed)
    assert stretch(seed, 128)[64:] == sealed[:64]
    with pytest.raises(LocalProtocolError):
        stretch(bytes(31), 1)


# ---- Sizes (messages 4.2) ----


@pytest.mark.parametrize(("count", "size"), [(1, 3992), (2, 3992), (75, 3992), (76, 7817), (150, 7817)])
def test_size_of_a_rekey_tells_members_in_steps_of_75(fast: Any, count: int, size: int) -> None:
    made = rekey(fast.suite, fast.group, members(fast, count), 7)
    assert len(made.message) == size
    slots = decode(fast.suite, fast.group.id, made.message).slots
    assert len(slots) == -(-count // 75) * 75


def test_a_slot_takes_51_bytes_and_a_digit_of_the_generation_one(fast: Any) -> None:
    sizes = [len(rekey(fast.suite, fast.group, members(fast, n), 0).message) for n in (75, 76)]
    assert sizes[1] - sizes[0] == 75 * 51
    assert len(rekey(fast.suite, fast.group, members(fast, 1), 10).message) == 3993


def test_supplement_grows_with_every_newcomer_and_every_key(fast: Any) -> None:
    held = [GroupKey(n, fast.stored_ms, fast.raw(n, 32)) for n in range(3)]
    ids = members(fast, 3)
    sizes = [len(supplement(fast.suite, fast.group, held[:1], ids[:n])) for n in (1, 2, 3)]
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] > 16
    entries = [
        len(
            decode(fast.suite, fast.group.id, supplement(fast.suite, fast.group, held[:n], ids[:1])).entries[
                0
            ]
        )
        for n in (1, 2, 3)
    ]
    assert (
        entries[2] - entries[1]
        == entries[1] - entries[0]
        == len(bencode.encode({b"g": 0, b"k": bytes(32), b"t": fast.stored_ms}))
    )


# ---- Making ----


def test_two_admins_make_the_same_rekey(cast: Any) -> None:
    ids = [cast.bob.id, cast.admin.id, cast.alice.id]
    other = rekey(cast.suite, group_from_seed(cast.group.ed.secret), [*ids, cast.bob.id], 0)
    assert other == cast.made


def test_key_depends_on_members_generation_and_group(fast: Any) -> None:
    ids = [fast.admin.id, fast.alice.id]
    keys = {
        rekey(fast.suite, fast.group, ids, 0).key,
        rekey(fast.suite, fast.group, ids, 1).key,
        rekey(fast.suite, fast.group, ids[:1], 0).key,
        rekey(fast.suite, GROUP, ids, 0).key,
        fast.made.key,
    }
    assert len(keys) == 5


def test_slots_stand_in_the_order_of_ids_and_junk_behind_them(fast: Any) -> None:
    message = decode(fast.suite, fast.group.id, fast.made.message)
    by_id = sorted([fast.admin, fast.alice, fast.bob], key=lambda member: member.id)
    for place, member in enumerate(by_id):
        only = message._replace(slots=(message.slots[place],) * 75)
        found = open_keys(fast.suite, fast.group.id, member, encode(fast.suite, fast.group, only), 5)
        assert found.keys == (GroupKey(0, 5, fast.made.key),)
    assert len(set(message.slots)) == 75


@pytest.mark.parametrize("wrong", [b"", b"\x03" + bytes(32), b"\x05" + bytes(31), b"\x15" + bytes(32)])
def test_only_accounts_can_be_members(fast: Any, wrong: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        rekey(fast.suite, fast.group, [fast.alice.id, wrong], 0)
    with pytest.raises(LocalProtocolError):
        supplement(fast.suite, fast.group, [GroupKey(0, 0, bytes(32))], [wrong])


def test_no_negative_generation(fast: Any) -> None:
    with pytest.raises(LocalProtocolError):
        fresh_key(fast.group, [fast.alice.id], -1)


def test_member_without_a_usable_key_gets_no_slot_but_shifts_the_key() -> None:
    low_order, alice = b"\x05" + bytes(32), b"\x05" + b"\x09" + bytes(31)
    with_both = rekey(REAL, GROUP, [low_order, alice], 0)
    assert with_both.key != rekey(REAL, GROUP, [alice], 0).key
    assert len(with_both.message) == 3992
    with pytest.raises(LocalProtocolError):
        supplement(REAL, GROUP, [GroupKey(0, 0, bytes(32))], [low_order])


def test_nonce_of_a_supplement_is_hashed_from_recipients_text_and_seed(fast: Any) -> None:
    text = bencode.encode([{b"g": 4, b"k": bytes(32), b"t": 17}])
    assert text == b"ld1:gi4e1:k32:" + bytes(32) + b"1:ti17eee"
    ids = (fast.bob.id_hex + fast.alice.id_hex).encode()
    secret = hashlib.blake2b(fast.group.ed.secret, digest_size=32, key=b"SessionGroupKeySeed").digest()
    message = supplement(fast.suite, fast.group, [GroupKey(4, 17, bytes(32))], [fast.bob.id, fast.alice.id])
    nonce = hashlib.blake2b(ids + text + secret, digest_size=24, key=b"SessionGroupKeyGen").digest()
    assert message.startswith(b"d1:#24:" + nonce + b"1:+l%d:" % (len(text) + 16))
    assert decode(fast.suite, fast.group.id, message).generation == 4


def test_supplement_needs_keys_and_depends_on_the_order_of_recipients(fast: Any) -> None:
    with pytest.raises(LocalProtocolError):
        supplement(fast.suite, fast.group, [], [fast.alice.id])
    held = [GroupKey(0, 1, bytes(32))]
    one = supplement(fast.suite, fast.group, held, [fast.alice.id, fast.bob.id])
    assert one == supplement(fast.suite, fast.group, held, [fast.alice.id, fast.bob.id])
    assert one != supplement(fast.suite, fast.group, held, [fast.bob.id, fast.alice.id])


# ---- Opening ----


def test_members_and_admins_find_the_key_and_strangers_only_the_generation(cast: Any) -> None:
    for reader in (cast.admin, cast.alice, cast.bob, cast.group):
        opened = open_keys(cast.suite, cast.group.id, reader, cast.made.message, 17)
        assert opened.keys == (GroupKey(0, 17, cast.made.key),)
    opened = open_keys(cast.suite, cast.group.id, cast.stranger, cast.made.message, 17)
    assert (opened.keys, opened.generation) == ((), 0)


def test_newcomer_finds_all_keys_in_a_supplement_and_others_none(cast: Any) -> None:
    held = (GroupKey(0, 5, cast.made.key), GroupKey(1, 9, cast.raw("next", 32)))
    message = supplement(cast.suite, cast.group, held, [cast.bob.id, cast.stranger.id])
    for reader in (cast.bob, cast.stranger):
        assert open_keys(cast.suite, cast.group.id, reader, message, 99) == (held, 1)
    for reader in (cast.alice, cast.group):
        assert open_keys(cast.suite, cast.group.id, reader, message, 99) == ((), 1)


def test_admin_of_another_group_is_our_mistake(fast: Any) -> None:
    with pytest.raises(LocalProtocolError):
        open_keys(fast.suite, fast.group.id, GROUP, fast.made.message, 0)


def test_admin_slot_under_another_key_does_not_open(fast: Any) -> None:
    message = decode(fast.suite, fast.group.id, fast.made.message)
    forged = encode(fast.suite, fast.group, message._replace(admin_slot=message.slots[0]))
    with pytest.raises(CannotOpen):
        open_keys(fast.suite, fast.group.id, fast.group, forged, 0)
    assert open_keys(fast.suite, fast.group.id, fast.alice, forged, 0).keys


# ---- Refusals ----


def test_message_of_another_group_is_refused(cast: Any) -> None:
    with pytest.raises(CannotOpen):
        open_keys(cast.suite, GROUP.id, cast.alice, cast.made.message, 0)


@pytest.mark.parametrize("place", [4, 40, 60, 200, -10])
def test_altered_message_is_refused(cast: Any, place: int) -> None:
    raw = bytearray(cast.made.message)
    raw[place] ^= 1
    with pytest.raises(RemoteProtocolError):
        open_keys(cast.suite, cast.group.id, cast.alice, bytes(raw), 0)


def rekey_with(**changes: Any) -> Rekey:
    plain = Rekey(bytes(24), 0, bytes(48), (bytes(48),) * 75)
    return plain._replace(**changes)


@pytest.mark.parametrize(
    "message",
    [
        rekey_with(nonce=bytes(23)),
        rekey_with(nonce=7),
        rekey_with(generation=-1),
        rekey_with(generation=1 << 63),
        rekey_with(generation=b"1"),
        rekey_with(admin_slot=bytes(47)),
        rekey_with(admin_slot=1),
        rekey_with(slots=(bytes(48),) * 74),
        rekey_with(slots=(bytes(48),) * 76),
        rekey_with(slots=(bytes(48),) * 74 + (bytes(49),)),
        rekey_with(slots=(bytes(48),) * 74 + (1,)),
        Supplement(bytes(24), 0, (bytes(67),)),
        Supplement(bytes(24), -1, (bytes(68),)),
        Supplement(bytes(25), 0, (bytes(68),)),
    ],
)
def test_well_signed_but_malformed_message_is_refused(message: Rekey | Supplement) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(FAST, GROUP.id, encode(FAST, GROUP, message))


def signed(fields: dict[bytes, Any], change: Callable[[bytes], bytes] = lambda raw: raw) -> bytes:
    body = bencode.encode(fields)[:-1]
    return change(body + b"1:~64:" + FAST.sign_stored(GROUP.ed, body) + b"e")


FIELDS = {b"#": bytes(24), b"G": 0, b"K": bytes(48), b"k": [bytes(48)] * 75}


def test_unknown_fields_before_the_signature_are_ignored() -> None:
    assert decode(FAST, GROUP.id, signed(FIELDS)) == rekey_with()
    assert decode(FAST, GROUP.id, signed({**FIELDS, b"l": 1, b"A": []})) == rekey_with()


@pytest.mark.parametrize("missing", list(FIELDS))
def test_missing_field_is_refused(missing: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(FAST, GROUP.id, signed({k: v for k, v in FIELDS.items() if k != missing}))


@pytest.mark.parametrize(
    "raw",
    [
        bencode.encode(FIELDS),
        bencode.encode({**FIELDS, b"~": bytes(64)}),
        bencode.encode({**FIELDS, b"~": bytes(63)}),
        bencode.encode({**FIELDS, b"~": 64}),
        signed(FIELDS, lambda raw: raw[:-1] + b"1:\x7fi1ee"),
        signed(FIELDS, lambda raw: raw + b"e"),
        signed(FIELDS, lambda raw: b"l" + raw + b"e"),
        signed({b"k": [bytes(48)] * 1600, **{k: FIELDS[k] for k in (b"#", b"G", b"K")}}),
    ],
)
def test_unsigned_or_wrapped_message_is_refused(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(FAST, GROUP.id, raw)


@pytest.mark.parametrize(
    "entry",
    [
        {b"g": 0, b"k": bytes(32), b"t": 5},
        [5],
        [{b"g": 0, b"k": bytes(31), b"t": 5}],
        [{b"g": -1, b"k": bytes(32), b"t": 5}],
        [{b"g": 0, b"k": bytes(32), b"t": b"5"}],
        [{b"g": 0, b"k": bytes(32), b"t": 1 << 63}],
        [{b"g": 0, b"k": bytes(32)}],
        [{b"k": bytes(32), b"t": 5}],
    ],
)
def test_supplement_with_malformed_keys_is_refused(entry: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        keys_of_entry(bencode.encode(entry))


# ---- Hostile bytes ----


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_protocol_error(raw: bytes) -> None:
    for reader in (GROUP, ALICE):
        with pytest.raises(RemoteProtocolError):
            open_keys(FAST, GROUP.id, reader, raw, 0)


VALUES = st.recursive(
    st.integers(-(1 << 63), (1 << 64) - 1) | st.binary(max_size=70),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=2), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([b"#", b"+", b"G", b"K", b"k", b"a", b"z"]), VALUES, max_size=6))
def test_any_signed_dict_is_read_or_refused(fields: dict[bytes, Any]) -> None:
    try:
        open_keys(FAST, GROUP.id, ALICE, signed(fields), 0)
    except RemoteProtocolError:
        return
    assert {b"#", b"G"} <= set(fields)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_changed_byte_is_refused(data: st.DataObject) -> None:
    raw = bytearray(MADE)
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(RemoteProtocolError):
        open_keys(FAST, GROUP.id, ALICE, bytes(raw), 0)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_opened_entry_of_a_supplement_is_read_or_refused(raw: bytes) -> None:
    with suppress(RemoteProtocolError):
        assert keys_of_entry(raw) == ()
