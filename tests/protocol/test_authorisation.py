"""Who may make a request: owners and subaccounts, and every way to pretend to be one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.authorisation import (
    ANY_PREFIX,
    DELETE,
    READ,
    WRITE,
    Subaccount,
    is_authorised,
    is_granted,
    store_rights,
    subaccount_token,
)
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.crypto.sodium import SodiumSuite
from sessionsim.protocol.identity import account_id_of_ed25519

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "storage.json").read_text("utf-8"))["groups"]
CASES = GROUPS["libsession:request_authorisation"]["cases"]
EXAMPLES = settings(deadline=None, max_examples=150, derandomize=True)
SUITE = SodiumSuite(memo=False)
TEXT = b"retrieve111777000000000"


def pair(name: str) -> Any:
    return real.ed25519_keypair(hashlib.sha256(name.encode()).digest())


OWNER, MEMBER, STRANGER = pair("owner"), pair("member"), pair("stranger")
GROUP, ACCOUNT = b"\x03" + OWNER.public, account_id_of_ed25519(OWNER.public)


def token(flags: int = READ | WRITE, prefix: int = 3, signer: Any = OWNER) -> Subaccount:
    raw = subaccount_token(prefix, flags, MEMBER.public)
    return Subaccount(raw, real.ed25519_sign(signer, raw))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_reference_accepts_and_refuses_the_same(case: dict[str, Any]) -> None:
    given_ = {name: bytes.fromhex(value) for name, value in case["input"].items() if isinstance(value, str)}
    subaccount = (
        Subaccount(given_["subaccount"], given_["subaccount_sig"]) if "subaccount" in given_ else None
    )
    rights = case["input"].get("required_access", 0)
    held = is_authorised(
        SUITE, given_["pubkey"], given_.get("pubkey_ed25519"), subaccount, rights, given_["signed_text"],
        given_["signature"],
    )  # fmt: skip
    assert held is case["expected"]["accepted"]


def test_token_starts_with_prefix_flags_and_two_zeros() -> None:
    example = GROUPS["transport:storage.subaccount_token"]["example"]
    assert "03 03 00 00 followed by the 32-byte sub-key" in example
    assert subaccount_token(3, READ | WRITE, MEMBER.public) == bytes.fromhex("03030000") + MEMBER.public
    for wrong in ((256, 1, bytes(32)), (3, -1, bytes(32)), (3, 1, bytes(31))):
        with pytest.raises(LocalProtocolError):
            subaccount_token(*wrong)


def signed(key: Any, account: bytes, ed: bytes | None, sub: Subaccount | None, rights: int = READ) -> bool:
    return is_authorised(SUITE, account, ed, sub, rights, TEXT, real.ed25519_sign(key, TEXT))


@pytest.mark.parametrize(
    ("key", "account", "ed", "sub", "accepted"),
    [
        (OWNER, GROUP, None, None, True),
        (OWNER, ACCOUNT, OWNER.public, None, True),
        (OWNER, ACCOUNT, None, None, False),  # the X25519 key verifies nothing
        (STRANGER, ACCOUNT, STRANGER.public, None, False),  # a key that is another account's
        (STRANGER, GROUP, None, None, False),
        (STRANGER, GROUP, STRANGER.public, None, False),  # a key beside a group is not looked at
        (OWNER, GROUP, STRANGER.public, None, True),
        (OWNER, b"\x03" + ACCOUNT[1:], OWNER.public, None, False),  # the same key under another prefix
        (OWNER, b"\x05" + OWNER.public, None, None, True),  # as the server: an X25519 key taken at its word
        (MEMBER, GROUP, None, token(), True),
        (OWNER, GROUP, None, token(), False),  # a token is for its own key alone
        (STRANGER, GROUP, None, token(), False),
        (MEMBER, GROUP, None, token(signer=MEMBER), False),
        (MEMBER, ACCOUNT, OWNER.public, token(prefix=5), True),
        (MEMBER, ACCOUNT, OWNER.public, token(prefix=3), False),
        (MEMBER, ACCOUNT, OWNER.public, token(READ | ANY_PREFIX, prefix=3), True),
        (MEMBER, ACCOUNT, None, token(prefix=5), False),  # its owner is not named
    ],
)
def test_who_may_read(
    key: Any, account: bytes, ed: bytes | None, sub: Subaccount | None, accepted: bool
) -> None:
    assert signed(key, account, ed, sub) is accepted


@EXAMPLES
@given(st.integers(0, 15), st.integers(0, 7))
def test_a_token_gives_the_rights_of_its_flags_and_no_others(flags: int, rights: int) -> None:
    assert signed(MEMBER, GROUP, None, token(flags), rights) is (flags & rights == rights)


@EXAMPLES
@given(st.integers(0, 36 * 8 - 1))
def test_no_bit_of_a_token_can_be_changed(bit: int) -> None:
    raw, signature = token(15)
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    assert is_granted(SUITE, GROUP, OWNER.public, Subaccount(raw, signature), READ)
    assert not is_granted(SUITE, GROUP, OWNER.public, Subaccount(bytes(changed), signature), READ)


@EXAMPLES
@given(
    st.binary(max_size=80),
    st.binary(max_size=80),
    st.binary(max_size=80),
    st.sampled_from(["fast", "sodium"]),
)
def test_made_up_tokens_and_signatures_are_simply_not_valid(
    raw: bytes, token_signature: bytes, signature: bytes, suite: str
) -> None:
    held = suite_named(suite)
    sub = Subaccount(raw, token_signature)
    assert not is_authorised(held, GROUP, None, sub, READ, TEXT, signature)
    assert not is_authorised(held, GROUP, None, None, 0, TEXT, signature)
    assert not is_authorised(held, ACCOUNT, raw, None, 0, TEXT, signature)


@EXAMPLES
@given(st.integers(0, 64 * 8 - 1))
def test_no_other_signature_comes_out_of_one(bit: int) -> None:
    changed = bytearray(real.ed25519_sign(OWNER, TEXT))
    changed[bit // 8] ^= 1 << bit % 8
    assert not is_authorised(SUITE, GROUP, None, None, 0, TEXT, bytes(changed))


def test_signature_with_the_group_order_added_is_refused() -> None:
    # The same equation holds for S + L; libsodium refuses it, and so do we.
    order = (1 << 252) + 27742317777372353535851937790883648493
    signature = real.ed25519_sign(OWNER, TEXT)
    other = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert is_authorised(SUITE, GROUP, None, None, 0, TEXT, signature)
    assert not is_authorised(SUITE, GROUP, None, None, 0, TEXT, other)


@pytest.mark.parametrize("key", ["00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "ff" * 32])
def test_weak_keys_authorise_nobody(key: str) -> None:
    # With a point of small order, a signature of zeros would hold over anything.
    weak = bytes.fromhex(key)
    for signature in (bytes(64), weak + bytes(32)):
        assert not is_authorised(SUITE, b"\x03" + weak, None, None, 0, TEXT, signature)
        assert not is_authorised(SUITE, b"\x05" + bytes(32), weak, None, 0, TEXT, signature)


def test_store_to_a_public_outbox_needs_the_right_to_delete() -> None:
    assert [store_rights(namespace) for namespace in (2, -1, -21, 11)] == [
        WRITE, WRITE | DELETE, WRITE | DELETE, WRITE,
    ]  # fmt: skip
