"""Deterministic encryption of files: known answers, sizes, round trips at the edges, every rejection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError
from sessionsim.protocol.crypto.secretstream import StreamWriter
from sessionsim.protocol.files.deterministic import (
    CHUNK_BYTES,
    MAX_BYTES,
    Purpose,
    open_file,
    padding_bytes,
    seal_file,
    sealed_bytes,
)

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "files.json").read_text("utf-8"))["groups"]
ATTACHMENTS = GROUPS["messages:attachments"]
SIZES = [case for case in ATTACHMENTS if case["name"] == "encrypted_size"]
SELF_GENERATED = [case for case in ATTACHMENTS if case["name"] != "encrypted_size"]
SEED = bytes(range(32))
# Where a further step begins, and where padding makes a chunk of its own or spills into one.
EDGES = sorted(
    {0, 1, 4053, 4054, 8149, 8150, 28_629, 28_630, 32_767, 32_768, 32_769, 65_536, 261_982, 261_983}
)


def counted(length: int) -> bytes:
    return bytes(7 * i % 256 for i in range(length))


@pytest.mark.parametrize("case", SIZES, ids=[str(case["input"]["plaintext_size"]) for case in SIZES])
def test_sizes_are_those_of_the_reference(case: Any) -> None:
    assert sealed_bytes(case["input"]["plaintext_size"]) == case["expected"]


@pytest.mark.parametrize(("file", "blob"), GROUPS["sizes:deterministic"])
def test_sizes_of_the_table(file: int, blob: int) -> None:
    assert sealed_bytes(file) == blob


@pytest.mark.parametrize("case", SELF_GENERATED, ids=[case["input"]["data"] for case in SELF_GENERATED])
def test_blobs_of_an_independent_program(case: Any) -> None:
    content = counted(int(case["input"]["data"].rpartition(" ")[2]))
    seed, expected = bytes.fromhex(case["input"]["seed"]), case["expected"]
    sealed = seal_file(content, seed, Purpose.ATTACHMENT)
    picture = seal_file(content, seed, Purpose.PROFILE_PICTURE)
    digests = [hashlib.blake2b(blob, digest_size=32).hexdigest() for blob in (sealed.blob, picture.blob)]
    assert (sealed.key.hex(), picture.key.hex()) == (expected["attachment_key"], expected["profile_pic_key"])
    assert sealed.blob[1:25].hex() == expected["header24"]
    assert digests == [expected["ciphertext_blake2b32"], expected["profile_pic_ciphertext_blake2b32"]]


@pytest.mark.parametrize("length", EDGES)
def test_files_at_the_edges_come_back(length: int) -> None:
    content = counted(length)
    blob, key = seal_file(content, SEED, Purpose.ATTACHMENT)
    assert (len(blob), open_file(blob, key)) == (sealed_bytes(length), content)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.binary(max_size=300), st.sampled_from(Purpose), st.binary(min_size=32, max_size=32))
def test_any_file_comes_back(content: bytes, purpose: Purpose, seed: bytes) -> None:
    blob, key = seal_file(content, seed, purpose)
    assert open_file(blob, key) == content
    assert len(blob) == 4096


def test_same_uploader_and_file_give_the_same_blob_and_nothing_else_does() -> None:
    blobs = [
        seal_file(content, seed, purpose).blob
        for content in (b"a", b"b")
        for seed in (SEED, SEED[::-1])
        for purpose in Purpose
    ]
    assert len(set(blobs)) == 8
    assert seal_file(b"a", SEED, Purpose.ATTACHMENT).blob == blobs[0]


def test_a_file_that_looks_like_padding_keeps_its_bytes() -> None:
    for content in (b"\0", b"\1", b"\0\0\1x", b"\1\1"):
        blob, key = seal_file(content, SEED, Purpose.ATTACHMENT)
        assert open_file(blob, key) == content


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.integers(0, 30_000_000))
def test_a_blob_ends_on_the_next_step_tags_of_the_padding_included(length: int) -> None:
    size, least = sealed_bytes(length), length + 26 + 17 * -(-length // CHUNK_BYTES)
    step = max(131_072, 1 << least.bit_length() - 1) >> 5
    assert padding_bytes(length) >= 1
    assert size == -(-least // step) * step


def test_too_large_is_refused_unless_asked_for() -> None:
    with pytest.raises(InvalidInput):
        seal_file(bytes(MAX_BYTES + 1), SEED, Purpose.ATTACHMENT)
    assert sealed_bytes(MAX_BYTES) == 10_223_616 < sealed_bytes(MAX_BYTES + 1)
    large = bytes(MAX_BYTES + 1)
    blob, key = seal_file(large, SEED, Purpose.ATTACHMENT, any_size=True)
    assert open_file(blob, key) == large


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_of_another_length_is_our_mistake(length: int) -> None:
    with pytest.raises(LocalProtocolError):
        seal_file(b"", bytes(length), Purpose.ATTACHMENT)


def made(*chunks: bytes, final: int = -1, head: bytes = b"S") -> bytes:
    """Make a blob of given chunks; `final` is the index of the one that carries the final tag."""
    header, key = bytes(24), bytes(32)
    writer, last = StreamWriter(header, key), final % len(chunks) if final >= -1 else None
    return head + header + b"".join(writer.push(chunk, final=k == last) for k, chunk in enumerate(chunks))


FULL = bytes(CHUNK_BYTES)


@pytest.mark.parametrize(
    ("blob", "why"),
    [
        (b"", "too short"),
        (made(b"")[:42], "too short"),
        (made(b""), "too short"),
        (made(b"\1x", head=b"T"), "unknown way"),
        (made(b"\1x", head=b"s"), "unknown way"),
        (made(b"\2x"), "padding"),
        (made(b"\0\0\xff\1x"), "padding"),
        (made(b"\0\0\0"), "all padding"),
        (made(FULL, b"\0"), "all padding"),
        (made(FULL, final=-2), "cut off"),
        (made(FULL, b"\1x")[: -2 - 17], "cut off"),
        (made(b"\1" + FULL[1:], b""), "cut off"),
        (made(b"\1" + FULL[1:], b"x", final=0), "after its last"),
        (made(FULL, b"\1x", final=0), "after its last"),
        (made(b"\1x", final=-2), "cut off"),
        (made(b"\1x")[:-1], "not open"),
        (made(b"\1x") + b"\0", "not open"),
        (made(b"\1x", b"y"), "not open"),  # a short chunk that is not the last
    ],
)
def test_what_does_not_open(blob: bytes, why: str) -> None:
    with pytest.raises(CannotOpen, match=why):
        open_file(blob, bytes(32))


def test_wrong_keys_do_not_open() -> None:
    blob, key = seal_file(b"file", SEED, Purpose.ATTACHMENT)
    other = seal_file(b"file", SEED, Purpose.PROFILE_PICTURE).key
    for wrong in (other, b"", key[:31], key + b"\0"):
        with pytest.raises(CannotOpen):
            open_file(blob, wrong)


def swapped(blob: bytes) -> Iterator[bytes]:
    size = CHUNK_BYTES + 17
    first, second, rest = blob[25 : 25 + size], blob[25 + size : 25 + 2 * size], blob[25 + 2 * size :]
    yield blob[:25] + second + first + rest
    yield blob[:25] + first + first + rest
    yield blob[:25] + first + rest


def test_chunks_cannot_be_swapped_repeated_or_left_out() -> None:
    blob, key = seal_file(counted(100_000), SEED, Purpose.ATTACHMENT)
    for wrong in swapped(blob):
        with pytest.raises(CannotOpen):
            open_file(wrong, key)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.integers(0, 4095), st.integers(0, 7))
def test_any_flipped_bit_is_noticed(at: int, bit: int) -> None:
    blob, key = seal_file(b"file", SEED, Purpose.ATTACHMENT)
    wrong = bytearray(blob)
    wrong[at] ^= 1 << bit
    with pytest.raises(CannotOpen):
        open_file(bytes(wrong), key)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32))
def test_random_bytes_do_not_open(blob: bytes, key: bytes) -> None:
    for hostile in (blob, b"S" + blob):
        with pytest.raises(CannotOpen):
            open_file(hostile, key)
