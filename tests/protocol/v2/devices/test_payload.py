"""Records and payloads: sizes of the tables, what is kept, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.v2.devices.payload import (
    Found,
    Tombstone,
    decode_payload,
    encode_payload,
    pad,
    padded_bytes,
    unpad,
)
from sessionsim.protocol.v2.devices.record import (
    DeviceRecord,
    State,
    counted_up,
    cut_description,
    record_digest,
    record_fields,
    version_number,
    version_parts,
)
from sessionsim.protocol.v2.keys import PublicKeys
from sessionsim.protocol.v2.seed_ring import AccountSeed
from sessionsim.protocol.wire import bencode

KEYS = PublicKeys(b"M" * 1184, b"X" * 32)
NOW_S = 1_777_000_000
ACTIVE = AccountSeed(b"s" * 32, NOW_S)
DEVICE = b"\x01" * 32


def record(description: bytes = b"d" * 28, **other: Any) -> DeviceRecord:
    return DeviceRecord(**{"seqno": 1234, "updated_s": NOW_S, "keys": KEYS, "description": description,
                           "kind": b"i", "version": 2_025_000, **other})  # fmt: skip


def ids(count: int, start: int = 0) -> list[bytes]:
    return [bytes([start + k]) * 32 for k in range(count)]


def seeds(count: int) -> list[AccountSeed]:
    times = [NOW_S - 43_200 * k for k in range(count + 1)]
    return [AccountSeed(bytes([k]) * 32, times[k + 1], times[k] if k else None) for k in range(count)]


@pytest.mark.parametrize(("description", "size"), [(28, 1343), (64, 1379)])
def test_a_record_with_its_id_has_the_size_of_the_specification(description: int, size: int) -> None:
    # protocol-v2 section 8.1.
    with_one, with_none = (
        len(bencode.encode({b"D": devices}))
        for devices in ({DEVICE: record_fields(record(b"d" * description))}, {})
    )
    assert with_one - with_none == size


@pytest.mark.parametrize(("state", "size"), [(State.KICKED, 47), (State.LEFT, 48)])
def test_a_removal_has_the_size_of_the_specification(state: State, size: int) -> None:
    one = {DEVICE: record()}
    with_it = encode_payload({**one, b"\x02" * 32: Tombstone(state, NOW_S)}, [ACTIVE])
    assert len(with_it) - len(encode_payload(one, [ACTIVE])) == size


@pytest.mark.parametrize(
    ("registered", "removed", "payload", "padded"),
    [(1, 0, 3_650, 8_700), (4, 0, 7_679, 8_700), (4, 1, 7_726, 8_700),
     (5, 0, 9_022, 15_100), (8, 0, 13_051, 15_100), (12, 0, 18_423, 21_500)],
)  # fmt: skip
def test_payloads_have_the_sizes_of_the_specification(
    registered: int, removed: int, payload: int, padded: int
) -> None:
    # protocol-v2 section 8.2: 33 seeds, one of them active, 4-digit seqno, descriptions of 28 bytes.
    devices: dict[bytes, Any] = {key: record() for key in ids(registered)}
    devices |= {key: Tombstone(State.KICKED, NOW_S) for key in ids(removed, 100)}
    raw = encode_payload(devices, seeds(33))
    assert (len(raw), padded_bytes(len(raw)), len(pad(raw))) == (payload, padded, padded)
    assert unpad(pad(raw)) == raw


def test_seeds_beyond_the_allowance_grow_into_the_bucket() -> None:
    # Hole H10: 33 seeds of some 70 bytes fill the 2300; more take from the devices' share.
    few, many = (len(encode_payload({DEVICE: record()}, seeds(count))) for count in (33, 120))
    assert (padded_bytes(few), padded_bytes(many)) == (8_700, 15_100)


def test_a_device_counts_its_changes_no_further_than_others_read() -> None:
    assert counted_up(5) == 6
    greatest = (1 << 63) - 1
    for seqno in (greatest - 1, greatest):
        raw = encode_payload({DEVICE: record(seqno=counted_up(seqno))}, [ACTIVE])
        assert decode_payload(raw).devices[DEVICE].record.seqno == greatest  # type: ignore[union-attr]


@given(st.integers(0, 80_000))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_padding_is_the_least_of_its_form(length: int) -> None:
    padded = padded_bytes(length)
    assert padded >= max(length, 8_700)
    assert (padded - 2_300) % 6_400 == 0
    assert padded == 8_700 or padded - 6_400 < length


EXTRA = st.dictionaries(
    st.binary(min_size=1, max_size=3).filter(lambda key: key not in b"#@MXdtv"),
    st.recursive(
        st.integers(-(2**63) + 1, 2**63 - 1) | st.binary(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.binary(max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)
RECORDS = st.builds(
    record,
    description=st.binary(max_size=70),
    kind=st.binary(max_size=9),
    version=st.integers(0, 10**12),
    seqno=st.integers(0, 2**40),
    extra=EXTRA,
)
REMOVALS = st.builds(Tombstone, st.sampled_from([State.LEFT, State.KICKED]), st.integers(1, 2**40))
SEEDS = st.builds(
    AccountSeed,
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**40),
    st.none() | st.integers(0, 2**40),
)


@given(
    st.dictionaries(st.binary(min_size=32, max_size=32), RECORDS | REMOVALS, max_size=4),
    st.lists(SEEDS, min_size=1, max_size=4, unique_by=lambda held: held.seed),
)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_what_is_written_is_read(
    devices: dict[bytes, DeviceRecord | Tombstone], held: list[AccountSeed]
) -> None:
    found = decode_payload(encode_payload(devices, held))
    assert set(found.seeds) == set(held)
    assert {
        key: one.record if isinstance(one, Found) else one for key, one in found.devices.items()
    } == devices
    for key, one in found.devices.items():
        if isinstance(one, Found):
            assert one.digest == record_digest(record_fields(devices[key]))  # type: ignore[arg-type]


@given(st.binary(max_size=200), st.binary(max_size=40))
@settings(deadline=None, max_examples=80, derandomize=True)
def test_hostile_bytes_give_one_kind_of_error(raw: bytes, tail: bytes) -> None:
    for hostile in (raw, b"d1:Dd32:" + DEVICE + raw, b"d1:Dde1:Kl" + tail):
        try:
            decode_payload(hostile)
        except RemoteProtocolError:
            continue
        assert hostile.startswith(b"d")


@pytest.mark.parametrize(
    "change",
    [
        {b"#": b"1"},
        {b"#": 1 << 63},
        {b"@": None},
        {b"M": b"M" * 1183},
        {b"X": b"X" * 33},
        {b"d": 5},
        {b"t": [b"i"]},
        {b"v": b"2"},
    ],
)
def test_records_that_are_none_are_refused(change: dict[bytes, Any]) -> None:
    fields = {key: value for key, value in (record_fields(record()) | change).items() if value is not None}
    raw = bencode.encode({b"D": {DEVICE: fields}, b"K": [{b"c": NOW_S, b"s": b"s" * 32}]})
    with pytest.raises(RemoteProtocolError):
        decode_payload(raw)


@pytest.mark.parametrize("removed", [0, -(1 << 63), 1 << 63])
def test_a_removal_without_a_possible_time_is_refused(removed: int) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_payload(bencode.encode({b"D": {DEVICE: removed}, b"K": []}))


def test_a_seed_from_beyond_all_clocks_is_refused() -> None:
    # Rotating counts the newest time up; a member could otherwise drive it out of 64 bits.
    for created_s, refused in ((1 << 53, False), ((1 << 53) + 1, True), ((1 << 63) - 1, True)):
        raw = encode_payload({DEVICE: record()}, [AccountSeed(b"s" * 32, created_s)])
        if refused:
            with pytest.raises(RemoteProtocolError):
                decode_payload(raw)
        else:
            assert decode_payload(raw).seeds[0].created_s == created_s


def test_wrong_use_is_our_mistake() -> None:
    good = {DEVICE: record()}
    for devices, held in (
        ({b"short": record()}, [ACTIVE]),
        ({DEVICE: record(keys=PublicKeys(b"M", b"X"))}, [ACTIVE]),
        ({DEVICE: Tombstone(State.KICKED, 0)}, [ACTIVE]),
        ({DEVICE: Tombstone(State.REGISTERED, NOW_S)}, [ACTIVE]),
        (good, []),
        (good, [AccountSeed(b"short", NOW_S)]),
    ):
        with pytest.raises(LocalProtocolError):
            encode_payload(devices, held)


def test_versions_are_one_number() -> None:
    assert version_number(2, 25, 0) == 2_025_000
    assert version_number(2, 1500, -3) == 2_999_000  # minor and patch are held to 0 to 999
    assert version_parts(3_000_007) == (3, 0, 7)


@pytest.mark.parametrize(
    ("text", "cut"),
    [("x" * 70, "x" * 64), ("é" * 33, "é" * 32), ("€" * 22, "€" * 21), ("🙂" * 17, "🙂" * 16), ("", "")],
)
def test_the_document_cuts_descriptions_at_whole_characters(text: str, cut: str) -> None:
    assert cut_description(text) == cut.encode()
