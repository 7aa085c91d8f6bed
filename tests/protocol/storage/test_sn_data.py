"""Messages on their way between nodes: batches old and new, their size, and hostile bytes."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.namespaces import MAX_NAMESPACE, MIN_NAMESPACE
from sessionsim.protocol.stored import Held, Message
from sessionsim.protocol.wire import bencode, sn_data

GROUPS = json.loads((Path(__file__).parents[2] / "vectors" / "storage.json").read_text("utf-8"))["groups"]
VECTOR = GROUPS["transport:storage.sn_data_v1"]
ACCOUNT = b"\x05" + bytes(range(32))
EXAMPLES = settings(deadline=None, max_examples=80, derandomize=True)
HASHES = st.text("ABCabc019+/", min_size=43, max_size=43)
TIMES = st.integers(0, (1 << 63) - 1)
MESSAGES = st.builds(
    lambda account, namespace, hash_, stamp, expiry, data: Held(
        account, namespace, Message(0, hash_, stamp, expiry, data)
    ),
    st.binary(min_size=33, max_size=33),
    st.integers(MIN_NAMESPACE, MAX_NAMESPACE),
    HASHES,
    TIMES,
    TIMES,
    st.binary(max_size=40),
)


def message(size: int, name: str = "A", namespace: int = 0) -> Held:
    return Held(ACCOUNT, namespace, Message(0, name.ljust(43, "A"), 10**12, 10**12, bytes(size)))


def test_the_old_form_is_that_of_the_reference() -> None:
    fields = VECTOR["fields"]
    held = Held(
        bytes.fromhex(fields["pubkey"]),
        0,
        Message(
            0,
            bytes.fromhex(fields["hash_hex"]).decode(),
            fields["timestamp_ms"],
            fields["expiry_ms"],
            bytes.fromhex(fields["data_hex"]),
        ),
    )
    for count, name in ((1, "serialized_one_hex"), (2, "serialized_two_hex")):
        (batch,) = sn_data.write_batches(
            [held] * count, namespaces=False, most_bytes=VECTOR["batch_limit_bytes"]
        )
        assert batch.hex() == VECTOR[name]
        # Its hash is none, so nothing of it is taken; it is read without complaint.
        assert sn_data.read_batch(batch) == ([], True)


def test_the_new_form_ends_with_the_namespace() -> None:
    old = sn_data.write_record(message(3, namespace=-11), namespaces=False)
    new = sn_data.write_record(message(3, namespace=-11), namespaces=True)
    assert new == old[:-1] + b"i-11ee"


@EXAMPLES
@given(st.lists(MESSAGES, max_size=8), st.booleans(), st.integers(1, 400))
def test_batches_carry_everything_in_order_and_keep_their_size(
    messages: list[Held], namespaces: bool, most: int
) -> None:
    batches = sn_data.write_batches(messages, namespaces=namespaces, most_bytes=most)
    read = [sn_data.read_batch(batch) for batch in batches]
    expected = messages if namespaces else [held._replace(namespace=0) for held in messages]
    assert [held for part, _ in read for held in part] == expected
    assert all(misplaced is not namespaces for _, misplaced in read)
    assert all(len(batch) <= most or len(part) == 1 for batch, (part, _) in zip(batches, read, strict=True))


def test_a_batch_is_closed_exactly_at_the_limit() -> None:
    one = sn_data.write_record(message(50), namespaces=True)
    for most, sizes in ((3 + 2 * len(one), [2, 1]), (2 + 2 * len(one), [1, 1, 1]), (10**9, [3])):
        batches = sn_data.write_batches([message(50)] * 3, namespaces=True, most_bytes=most)
        assert [len(sn_data.read_batch(batch)[0]) for batch in batches] == sizes
    # Nine million bytes of the largest messages.
    large = [message(76_800, str(n)) for n in range(240)]
    batches = sn_data.write_batches(large, namespaces=True, most_bytes=9_000_000)
    assert [len(batch) <= 9_000_000 for batch in batches] == [True] * 3
    assert sum(len(sn_data.read_batch(batch)[0]) for batch in batches) == 240


RECORD = [ACCOUNT, "A" * 43, 10**12, 10**12, b"data", 5]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x01",
        b"\x02le",
        b"le",
        b"\x01de",
        b"\x01i5e",
        b"\x01lle",
        b"\x01l" + b"l" * 40 + b"e" * 40 + b"e",
        b"\x01" + bencode.encode([RECORD[:4]]),
        b"\x01" + bencode.encode([[*RECORD, 1]]),
        b"\x01" + bencode.encode([[ACCOUNT[1:], *RECORD[1:]]]),
        b"\x01" + bencode.encode([[*RECORD[:5], 1 << 15]]),
        b"\x01" + bencode.encode([[*RECORD[:2], -1, *RECORD[3:]]]),
        b"\x01" + bencode.encode([[*RECORD[:3], 1 << 63, *RECORD[4:]]]),
        b"\x01" + bencode.encode([[*RECORD[:4], 7, 5]]),
        b"\x01" + bencode.encode([[*RECORD[:5], b"0"]]),
        b"\x01" + bencode.encode([RECORD]) + b"x",
    ],
)
def test_what_is_no_batch_is_refused_whole(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        sn_data.read_batch(payload)


def test_a_record_without_a_real_hash_is_left_out() -> None:
    bad = [[*RECORD[:1], name, *RECORD[2:]] for name in ("short", "A" * 42 + "=", "A" * 44)]
    held, misplaced = sn_data.read_batch(b"\x01" + bencode.encode([*bad, RECORD]))
    assert [one.message.hash for one in held] == ["A" * 43]
    assert not misplaced


@EXAMPLES
@given(st.binary(max_size=80))
def test_hostile_bytes_give_one_kind_of_error(payload: bytes) -> None:
    for read in (sn_data.read_batch, sn_data.read_ready):
        for one in (payload, b"\x01l" + payload, b"d1:@" + payload):
            with contextlib.suppress(RemoteProtocolError):
                read(one)


@pytest.mark.parametrize("needs", [True, False])
def test_the_question_for_messages(needs: bool) -> None:
    payload = sn_data.write_ready(needs)
    assert payload == bencode.encode({b"@": 0, b"t": int(needs)})
    assert sn_data.read_ready(payload) is needs


@pytest.mark.parametrize(
    "payload",
    [b"", b"le", b"de", b"d1:@i0ee", b"d1:ti1ee", b"d1:@i256e1:ti1ee", b"d1:@i0e1:ti2ee", b"d1:@1:01:ti1ee"],
)
def test_other_questions(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        sn_data.read_ready(payload)
