"""Members' access to the swarm: the reference's bytes, what a node accepts, and what it must not."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.authorisation import allows
from sessionsim.protocol.crypto import curve, suite_named
from sessionsim.protocol.groups import (
    Authentication,
    Right,
    authenticate,
    group_from_seed,
    is_authentic,
    subaccount_of,
    subaccount_token,
)
from sessionsim.protocol.groups.subaccount import is_granted, sign_request, signing_value
from sessionsim.protocol.identity import account_from_ed25519_seed, account_from_seed

FOLDER = Path(__file__).parents[2] / "vectors"
GROUPS = json.loads((FOLDER / "groups.json").read_text("utf-8"))["groups"]
LIBSESSION = json.loads((FOLDER / "libsession.json").read_text("utf-8"))["sections"]
REAL, FAST = suite_named("sodium", memo=False), suite_named("fast")
GROUP, ALICE = group_from_seed(b"g" * 32), account_from_seed(b"a" * 16)
TEXT = b"retrieve111777000000000"
READ_WRITE = Right.READ | Right.WRITE


# ---- Reference values ----


def test_authentication_of_the_reference_suite() -> None:
    (case,) = GROUPS["messages:swarm_auth"]
    given_, expected = case["input"], case["expected"]
    group = group_from_seed(bytes.fromhex(given_["group_seed"]))
    member = account_from_ed25519_seed(bytes.fromhex(given_["member_seed"]))
    rights = Right.READ | Right.WRITE * given_["write"] | Right.DELETE * given_["delete"]
    value = signing_value(REAL, group, member.id, rights)
    assert value.hex() == given_["signing_value_100B_hex (derived)"]
    auth = authenticate(REAL, subaccount_of(member, value), given_["message_utf8"].encode())
    assert auth.fields() == expected
    assert {name: len(text) for name, text in auth.fields().items()} == {
        "signature": 88,
        "subaccount": 48,
        "subaccount_sig": 88,
    }


def test_token_starts_as_the_storage_server_expects() -> None:
    assert "starts 03 03 00 00 " in GROUPS["transport:storage.subaccount_token"]["example"]
    token = subaccount_token(GROUP, ALICE.id)
    assert token[:4].hex() == "03030000"
    assert len(token) == 4 + 32


@pytest.mark.parametrize(
    "case", LIBSESSION["request_authorisation"]["cases"][:15], ids=lambda case: case["id"]
)
def test_node_accepts_what_the_storage_server_accepts(case: dict[str, Any]) -> None:
    raw = {name: bytes.fromhex(text) for name, text in case["input"].items() if isinstance(text, str)}
    accepted = is_authentic(
        REAL,
        raw["pubkey"],
        case["input"]["required_access"],
        raw["signed_text"],
        raw["signature"],
        raw["subaccount"],
        raw["subaccount_sig"],
    )
    assert accepted == case["expected"]["accepted"]


# ---- Both paths ----


def seeds_of_both_signs() -> list[int]:
    signs: dict[bool, int] = {}
    for number in range(40):
        account = account_from_seed(bytes([number]) * 16)
        signs.setdefault(curve.is_negative(account.ed.public), number)
    return list(signs.values())


@pytest.mark.parametrize("number", seeds_of_both_signs())
def test_member_works_out_the_token_the_admin_made(cast: Any, number: int) -> None:
    member = account_from_seed(bytes([number]) * 16)
    subaccount = subaccount_of(member, signing_value(cast.suite, cast.group, member.id))
    assert subaccount.token == subaccount_token(cast.group, member.id)
    assert curve.times_base(subaccount.key.scalar) == subaccount.key.public
    auth = authenticate(cast.suite, subaccount, TEXT)
    for right in (Right.READ, Right.WRITE, READ_WRITE):
        assert is_authentic(cast.suite, cast.group.id, right, TEXT, *auth)
    assert not is_authentic(cast.suite, cast.group.id, Right.DELETE, TEXT, *auth)


def test_both_signs_of_accounts_are_tried() -> None:
    assert len(seeds_of_both_signs()) == 2


def test_admin_signs_with_the_group_and_shows_no_token(cast: Any) -> None:
    auth = authenticate(cast.suite, cast.group, TEXT)
    assert list(auth.fields()) == ["signature"]
    assert is_authentic(cast.suite, cast.group.id, Right.READ | Right.WRITE | Right.DELETE, TEXT, *auth)
    assert not is_authentic(cast.suite, GROUP.id, Right.READ, TEXT, *auth)
    assert not is_authentic(cast.suite, cast.group.id, Right.READ, TEXT + b"0", *auth)


def test_token_is_the_same_on_every_request_and_another_in_another_group() -> None:
    value = signing_value(REAL, GROUP, ALICE.id)
    first, second = (authenticate(REAL, subaccount_of(ALICE, value), text) for text in (TEXT, b"store11"))
    assert first.token == second.token
    assert first.signature != second.signature
    assert first.signature == sign_request(REAL, subaccount_of(ALICE, value), TEXT)
    other = subaccount_token(group_from_seed(b"h" * 32), ALICE.id)
    assert other[4:] != first.token[4:]


def test_rights_have_the_numbers_of_the_storage_server() -> None:
    assert {right.name: right.value for right in Right} == {
        "READ": 1,
        "WRITE": 2,
        "DELETE": 4,
        "ANY_PREFIX": 8,
    }


def test_rights_are_part_of_the_token_but_not_of_its_key() -> None:
    tokens = {rights: subaccount_token(GROUP, ALICE.id, rights) for rights in range(16)}
    assert len(set(tokens.values())) == 16
    assert len({token[4:] for token in tokens.values()}) == 1
    assert all(token[:4] == bytes([3, rights, 0, 0]) for rights, token in tokens.items())


# ---- What a node must not accept ----


@pytest.fixture
def auth(cast: Any) -> Authentication:
    value = signing_value(cast.suite, cast.group, cast.alice.id)
    return authenticate(cast.suite, subaccount_of(cast.alice, value), TEXT)


def test_more_rights_than_signed_are_not_accepted(cast: Any, auth: Authentication) -> None:
    raised = auth._replace(token=auth.token[:1] + b"\x07" + auth.token[2:])
    assert not is_authentic(cast.suite, cast.group.id, Right.DELETE, TEXT, *raised)
    assert not is_authentic(cast.suite, cast.group.id, Right.READ, TEXT, *raised)


def test_token_without_its_key_is_not_accepted(cast: Any, auth: Authentication) -> None:
    bob = subaccount_of(cast.bob, signing_value(cast.suite, cast.group, cast.bob.id))
    for signature in (sign_request(cast.suite, bob, TEXT), bytes(64), b"", auth.signature[:63]):
        assert not is_authentic(cast.suite, cast.group.id, Right.READ, TEXT, signature, *auth[1:])
    assert not is_authentic(cast.suite, cast.group.id, Right.READ, b"store11", *auth)


def test_self_made_token_is_not_accepted(cast: Any) -> None:
    own = group_from_seed(b"own".ljust(32))
    auth = authenticate(
        cast.suite, subaccount_of(cast.alice, signing_value(cast.suite, own, cast.alice.id)), TEXT
    )
    assert is_authentic(cast.suite, own.id, Right.READ, TEXT, *auth)
    assert not is_authentic(cast.suite, cast.group.id, Right.READ, TEXT, *auth)


def test_signature_of_the_group_over_the_request_does_not_stand_in_for_a_token(cast: Any) -> None:
    signature = authenticate(cast.suite, cast.group, TEXT).signature
    token = bytes([3, 15, 0, 0]) + cast.group.ed.public
    assert not is_authentic(cast.suite, cast.group.id, Right.READ, TEXT, signature, token, signature)


@pytest.mark.parametrize("token", [b"", b"\x03", bytes(35), bytes(37), b"\x03\x0f\0\0" + bytes(33)])
def test_token_of_another_length_allows_nothing(token: bytes) -> None:
    assert not allows(GROUP.id, token, 0)


@pytest.mark.parametrize(
    ("prefix", "flags", "rights", "allowed"),
    [
        (3, 1, Right.READ, True),
        (3, 2, Right.READ, False),
        (5, 1, Right.READ, False),
        (5, 9, Right.READ, True),
        (3, 5, READ_WRITE, False),
        (3, 7, READ_WRITE, True),
        (3, 0, 0, True),
    ],
)
def test_prefix_and_flags_decide_what_a_token_allows(
    prefix: int, flags: int, rights: int, allowed: bool
) -> None:
    assert allows(GROUP.id, bytes([prefix, flags, 0, 0]) + bytes(32), rights) == allowed


# ---- What a member must not use, and misuse ----


def test_member_asks_whether_the_value_was_made_for_it(cast: Any) -> None:
    value = signing_value(cast.suite, cast.group, cast.alice.id)
    assert is_granted(cast.suite, cast.group.id, subaccount_of(cast.alice, value))
    assert not is_granted(cast.suite, cast.group.id, subaccount_of(cast.bob, value))
    assert not is_granted(cast.suite, GROUP.id, subaccount_of(cast.alice, value))
    assert not is_granted(cast.suite, cast.group.id, subaccount_of(cast.alice, value), Right.DELETE)
    altered = value[:-1] + bytes([value[-1] ^ 1])
    assert not is_granted(cast.suite, cast.group.id, subaccount_of(cast.alice, altered))


@pytest.mark.parametrize("size", [0, 36, 99, 101])
def test_value_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(RemoteProtocolError):
        subaccount_of(ALICE, bytes(size))


def test_value_whose_factor_is_zero_is_refused() -> None:
    with pytest.raises(CannotOpen):
        subaccount_of(ALICE, b"\x03\x03\0\0" + bytes(96))


@pytest.mark.parametrize("rights", [-1, 256])
def test_rights_are_one_byte(rights: int) -> None:
    with pytest.raises(LocalProtocolError):
        subaccount_token(GROUP, ALICE.id, rights)


@pytest.mark.parametrize("wrong", [b"", GROUP.id, ALICE.id[:-1]])
def test_only_accounts_have_subaccounts(wrong: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        subaccount_token(GROUP, wrong)


def test_account_without_a_usable_key_has_no_subaccount() -> None:
    with pytest.raises(CannotOpen):
        subaccount_token(GROUP, b"\x05" + bytes(32))


def test_fields_are_padded_base64() -> None:
    fields = Authentication(bytes(64), bytes(36), b"\xff" * 64).fields()
    assert base64.b64decode(fields["subaccount_sig"], validate=True) == b"\xff" * 64
    assert fields["signature"].endswith("==")


# ---- Hostile bytes ----


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=110) | st.binary(min_size=100, max_size=100))
def test_any_signing_value_is_worked_out_or_refused(value: bytes) -> None:
    try:
        subaccount = subaccount_of(ALICE, value)
    except RemoteProtocolError:
        return
    assert not is_granted(REAL, GROUP.id, subaccount)
    assert len(sign_request(REAL, subaccount, TEXT)) == 64


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=40) | st.binary(min_size=36, max_size=36).map(lambda raw: b"\x03\x0f" + raw[2:]),
    st.binary(max_size=70),
    st.binary(max_size=70),
    st.integers(0, 15),
)
def test_any_token_is_no_access(token: bytes, granted: bytes, signature: bytes, rights: int) -> None:
    for suite in (REAL, FAST):
        assert not is_authentic(suite, GROUP.id, rights, TEXT, signature, token, granted)
