from __future__ import annotations

import hashlib

import pytest

from sessionsim.adversary.forms import form_of
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.versions.v1 import encode_text, seal_direct
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.envelope import wrap

SUITE = suite_named("fast")
ALICE, BOB = (account_from_seed(bytes([k]) * 16) for k in (1, 2))


def random_bytes(number: int, size: int) -> bytes:
    return hashlib.shake_256(b"%d" % number).digest(size)


def letter(number: int) -> bytes:
    text = encode_text(f"text {number}", 1_777_000_000_000 + number)
    return seal_direct(SUITE, ALICE, BOB.id, text, 1_777_000_000_000 + number, random_bytes(number, 96))


def test_letters_have_one_form_whatever_they_say() -> None:
    forms = {form_of(letter(number))[0] for number in range(300)}
    assert forms == {"{1=1 2{1 2 3{1=6 5 7=1 8 11} 4=0}}"}


def test_leaves_are_the_byte_strings_at_the_ends() -> None:
    sealed, signature = random_bytes(1, 300), random_bytes(2, 64)
    _, leaves = form_of(wrap(sealed, 1_777_000_000_000, signature))
    assert sealed in leaves
    assert signature in leaves


def test_bencode_shows_keys_small_numbers_and_how_many() -> None:
    fields = {b"#": bytes(24), b"G": 3, b"k": [bytes(48)] * 75, b"t": 1_777_000_000_000}
    form, leaves = form_of(bencode.encode(fields))
    assert form == "{# G=3 k[75] t}"
    assert len(leaves) == 76


@pytest.mark.parametrize("size", [0, 1, 2, 40, 64, 200, 398, 1000])
def test_random_bytes_have_no_form(size: int) -> None:
    assert {form_of(random_bytes(number, size))[0] for number in range(400)} == {""}


@pytest.mark.parametrize(
    "data", [b"d", b"le", b"d1:ae", b"\x08", b"\x0a\xff\xff\xff\xff\x0f", b"\x12\x01a\x0a\x01b"]
)
def test_what_is_cut_or_out_of_order_has_no_form(data: bytes) -> None:
    assert form_of(data)[0] in ("", "[0]")
