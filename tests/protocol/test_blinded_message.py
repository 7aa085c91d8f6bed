"""Messages between blinded ids: computed values, both ends, the check of the sender, and hostile bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol import blinding
from sessionsim.protocol.blinded_message import OVERHEAD_BYTES, own_id, seal, unseal
from sessionsim.protocol.blinding import PREFIX_15, PREFIX_25
from sessionsim.protocol.crypto import KeyPair, aead, curve
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.identity import Account, account_from_ed25519_seed

VECTORS = Path(__file__).parents[1] / "vectors"
# These two are no reference values: they were computed by an independent program and agree with this one.
GROUPS = json.loads((VECTORS / "blinding.json").read_text("utf-8"))["groups"]
CASES = GROUPS["messages:blinded_encrypt"]
POINTS = json.loads((VECTORS / "refused_points.json").read_text("utf-8"))["groups"]["made:small_order"]
SERVER, NONCE = bytes(range(32)), bytes(range(24))
KINDS = pytest.mark.parametrize("prefix", [PREFIX_15, PREFIX_25], ids=["15", "25"])


def account(name: str) -> Account:
    return account_from_ed25519_seed(name.encode().ljust(32, b"\0"))


EVERYONE = [account(f"person {number}") for number in range(12)]
POSITIVE = [person for person in EVERYONE if not curve.is_negative(person.ed.public)]
NEGATIVE = [person for person in EVERYONE if curve.is_negative(person.ed.public)]
ANNA, BEN, MALLORY = POSITIVE[0], NEGATIVE[0], POSITIVE[1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_message_of_the_independent_program(case: dict[str, Any]) -> None:
    given = {name: bytes.fromhex(text) for name, text in case["input"].items() if name != "message_utf8"}
    sender, recipient = (account_from_ed25519_seed(given[f"{who}_seed"]) for who in ("sender", "recipient"))
    server, message, sealed = (
        given["server_pk"],
        case["input"]["message_utf8"].encode(),
        bytes.fromhex(case["expected"]),
    )
    ids = given["sender_blinded_id"], given["recipient_blinded_id"]
    assert ids == (own_id(sender, server, ids[0][:1]), own_id(recipient, server, ids[1][:1]))
    assert seal(sender, server, ids[1], message, given["nonce"]) == sealed
    for reader in (sender, recipient):
        assert unseal(reader, server, *ids, sealed) == (message, sender.id)


@KINDS
@pytest.mark.parametrize("sender", [POSITIVE[0], NEGATIVE[1]], ids=["+", "-"])
@pytest.mark.parametrize("recipient", [POSITIVE[1], NEGATIVE[0]], ids=["+", "-"])
def test_both_ends_read_it_whatever_their_signs(prefix: bytes, sender: Account, recipient: Account) -> None:
    ids = own_id(sender, SERVER, prefix), own_id(recipient, SERVER, prefix)
    sealed = seal(sender, SERVER, ids[1], b"text", NONCE)
    for reader in (sender, recipient):
        assert unseal(reader, SERVER, *ids, sealed) == (b"text", sender.id)
    for stranger in EVERYONE:
        if stranger not in (sender, recipient):
            with pytest.raises(CannotOpen):
                unseal(stranger, SERVER, *ids, sealed)


@KINDS
@given(message=st.binary(max_size=200))
@settings(deadline=None, max_examples=20, derandomize=True)
def test_every_message_is_73_bytes_longer_and_comes_back(prefix: bytes, message: bytes) -> None:
    ids = own_id(ANNA, SERVER, prefix), own_id(BEN, SERVER, prefix)
    sealed = seal(ANNA, SERVER, ids[1], message, NONCE)
    assert len(sealed) == len(message) + OVERHEAD_BYTES == len(message) + 73
    assert sealed[:1] == b"\0"
    assert sealed[-24:] == NONCE
    assert unseal(BEN, SERVER, *ids, sealed).message == message


@KINDS
def test_other_server_ids_or_order_do_not_open(prefix: bytes) -> None:
    ids = own_id(ANNA, SERVER, prefix), own_id(BEN, SERVER, prefix)
    sealed = seal(ANNA, SERVER, ids[1], b"text", NONCE)
    other = SERVER[::-1]
    for server, pair in (
        (other, ids),
        (other, (own_id(ANNA, other, prefix), own_id(BEN, other, prefix))),
        (SERVER, ids[::-1]),
        (SERVER, (own_id(MALLORY, SERVER, prefix), ids[1])),
        (SERVER, (blinding.other_sign(ids[0]), ids[1])),
        (SERVER, (ids[0], blinding.other_sign(ids[1]))),
    ):
        with pytest.raises(CannotOpen):
            unseal(BEN, server, *pair, sealed)


@KINDS
def test_someone_elses_key_inside_is_refused(prefix: bytes) -> None:
    """Mallory writes under her own blinded id and claims to be Anna."""
    liar = Account(KeyPair(ANNA.ed.public, MALLORY.ed.secret), MALLORY.x, MALLORY.id)
    ids = own_id(MALLORY, SERVER, prefix), own_id(BEN, SERVER, prefix)
    sealed = seal(liar, SERVER, ids[1], b"I am Anna", NONCE)
    with pytest.raises(CannotOpen, match="the sender inside"):
        unseal(BEN, SERVER, *ids, sealed)


def as_negative(sender: Account, recipient_id: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Write as an implementation would that calls itself −a: its 15 id has the other sign."""
    sender_id = blinding.other_sign(own_id(sender, SERVER, PREFIX_15))
    shared = curve.times(curve.negate(sender.x.secret), recipient_id[1:])
    key = blake2b(shared + sender_id[1:] + recipient_id[1:], 32)
    return sender_id, b"\0" + aead.seal(message + sender.ed.public, NONCE, key) + NONCE


@pytest.mark.parametrize("sender", [POSITIVE[0], NEGATIVE[1]], ids=["+", "-"])
def test_15_id_of_the_other_sign_passes_where_that_is_allowed(sender: Account) -> None:
    recipient_id = own_id(BEN, SERVER, PREFIX_15)
    sender_id, sealed = as_negative(sender, recipient_id, b"text")
    assert unseal(BEN, SERVER, sender_id, recipient_id, sealed) == (b"text", sender.id)
    with pytest.raises(CannotOpen, match="the sender inside"):
        unseal(BEN, SERVER, sender_id, recipient_id, sealed, either_sign=False)


@KINDS
def test_empty_message_passes_where_that_is_allowed(prefix: bytes) -> None:
    ids = own_id(ANNA, SERVER, prefix), own_id(BEN, SERVER, prefix)
    sealed = seal(ANNA, SERVER, ids[1], b"", NONCE)
    assert unseal(BEN, SERVER, *ids, sealed).message == b""
    with pytest.raises(CannotOpen, match="too short"):
        unseal(BEN, SERVER, *ids, sealed, empty=False)
    one = seal(ANNA, SERVER, ids[1], b"1", NONCE)
    assert unseal(BEN, SERVER, *ids, one, empty=False).message == b"1"


# ---- Hostile input ----


@KINDS
@pytest.mark.parametrize("inside", [bytes(32), b"\xff" * 32, b"\x02" + bytes(31)])
def test_key_inside_that_is_no_point_is_refused(prefix: bytes, inside: bytes) -> None:
    liar = Account(KeyPair(inside, ANNA.ed.secret), ANNA.x, ANNA.id)
    # Its sign decides the sign of a 25 key, so it is chosen to fit.
    own = ANNA if curve.is_negative(inside) == curve.is_negative(ANNA.ed.public) else None
    sender_id = own_id(own or liar, SERVER, prefix)
    recipient_id = own_id(BEN, SERVER, prefix)
    sealed = seal(liar, SERVER, recipient_id, b"text", NONCE)
    with pytest.raises(CannotOpen, match="not an Ed25519 public key"):
        unseal(BEN, SERVER, sender_id, recipient_id, sealed)


@KINDS
@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_id_of_small_order_is_refused(prefix: bytes, point: str) -> None:
    bad = prefix + bytes.fromhex(point)
    with pytest.raises(CannotOpen):
        seal(ANNA, SERVER, bad, b"text", NONCE)
    own, sealed = own_id(BEN, SERVER, prefix), bytes(100)
    for ids in ((bad, own), (own, bad)):
        with pytest.raises(CannotOpen):
            unseal(BEN, SERVER, *ids, sealed)


@pytest.mark.parametrize("prefix", [b"", b"\x00", b"\x03", b"\x05", b"\x07", b"\x16"])
def test_recipient_that_is_no_blinded_id_is_refused(prefix: bytes) -> None:
    for body in (own_id(BEN, SERVER, PREFIX_15)[1:], own_id(BEN, SERVER, PREFIX_25)[1:]):
        with pytest.raises(CannotOpen):
            seal(ANNA, SERVER, prefix + body, b"text", NONCE)


@KINDS
def test_ids_of_two_kinds_or_other_lengths_are_refused(prefix: bytes) -> None:
    ids = own_id(ANNA, SERVER, prefix), own_id(BEN, SERVER, prefix)
    sealed = seal(ANNA, SERVER, ids[1], b"text", NONCE)
    other = own_id(BEN, SERVER, PREFIX_15 if prefix == PREFIX_25 else PREFIX_25)
    for pair in (
        (ids[0], other),
        (other, ids[1]),
        (ids[0][:-1], ids[1]),
        (ids[0], ids[1] + b"\0"),
        (b"", b""),
    ):
        with pytest.raises(CannotOpen):
            unseal(BEN, SERVER, *pair, sealed)


@KINDS
def test_every_length_and_version_but_its_own_is_refused(prefix: bytes) -> None:
    ids = own_id(ANNA, SERVER, prefix), own_id(BEN, SERVER, prefix)
    sealed = seal(ANNA, SERVER, ids[1], b"text", NONCE)
    for broken in (*(sealed[:size] for size in range(len(sealed))), b"\x01" + sealed[1:], sealed + b"\0"):
        with pytest.raises(CannotOpen):
            unseal(BEN, SERVER, *ids, broken)


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=160))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_any_bytes_are_refused(sender_id: bytes, recipient_id: bytes, sealed: bytes) -> None:
    for ids in (
        (sender_id, recipient_id),
        (PREFIX_15 + sender_id, own_id(BEN, SERVER, PREFIX_15)),
        (own_id(ANNA, SERVER, PREFIX_25), PREFIX_25 + recipient_id),
    ):
        with pytest.raises(CannotOpen):
            unseal(BEN, SERVER, *ids, b"\0" + sealed)


def test_wrong_lengths_of_ours_are_our_mistake() -> None:
    recipient_id = own_id(BEN, SERVER, PREFIX_15)
    with pytest.raises(LocalProtocolError):
        seal(ANNA, SERVER, recipient_id, b"text", NONCE[:-1])
    with pytest.raises(LocalProtocolError):
        seal(ANNA, SERVER[:-1], recipient_id, b"text", NONCE)
