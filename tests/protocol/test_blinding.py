"""Blinded ids: the reference values, owner's and others' views, signatures, and points that are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol import blinding
from sessionsim.protocol.crypto import Suite, curve, real, suite_named
from sessionsim.protocol.identity import Account, account_from_ed25519_seed

VECTORS = Path(__file__).parents[1] / "vectors"
GROUPS = json.loads((VECTORS / "blinding.json").read_text("utf-8"))["groups"]
POINTS = json.loads((VECTORS / "refused_points.json").read_text("utf-8"))["groups"]
REFUSED = {
    name: bytes.fromhex(point)
    for name, point in (POINTS["made:small_order"] | POINTS["made:other_refused"]).items()
}
IDS = [case for case in GROUPS["messages:blinding"] if " id" in case["name"]]
SIGNED = [case for case in GROUPS["messages:blinding"] if case["name"] in ("blind15 sign", "blind25 sign")]
VERSION_PAIR = [case for case in GROUPS["messages:blinding"] if case["name"].endswith("key pair")]
VERSION_SIGN = [case for case in GROUPS["messages:blinding"] if case["name"].endswith("sign desktop")]
SODIUM = suite_named("sodium", memo=False)
SERVER, OTHER = bytes(range(32)), bytes(range(1, 33))
SEEDS = st.binary(min_size=32, max_size=32)
FEW = settings(deadline=None, max_examples=40, derandomize=True)
ANNA = account_from_ed25519_seed(b"anna".ljust(32, b"\0"))


@pytest.fixture(params=["sodium", "fast"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return suite_named(request.param)


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


# ---- Reference values ----


def test_no_case_of_the_messages_group_is_left_out() -> None:
    assert len(GROUPS["messages:blinding"]) == len(IDS) + len(SIGNED) + len(VERSION_PAIR) + len(VERSION_SIGN)
    assert all((IDS, SIGNED, VERSION_PAIR, VERSION_SIGN))


@pytest.mark.parametrize("case", IDS, ids=lambda case: str(case["name"]))
def test_ids_of_the_message_vectors(case: dict[str, Any]) -> None:
    account_id, server = raw(case["input"]["session_id"]), raw(case["input"]["server_pk"])
    if case["name"] == "blind25 id":
        assert blinding.blind25_id(account_id, server).hex() == case["expected"]
    else:
        assert blinding.blind15_ids(account_id, server)[0].hex() == case["expected"]


@pytest.mark.parametrize("case", GROUPS["transport:blinding.blind15_id"]["vectors"])
def test_15_id_of_an_account(case: dict[str, str]) -> None:
    first, other = blinding.blind15_ids(raw(case["account_id"]), raw(case["server_pubkey"]))
    assert first.hex() == case["blinded_id"]
    assert other == first[:32] + bytes([first[32] ^ 0x80])


@pytest.mark.parametrize("case", GROUPS["transport:blinding.blind25_id"]["vectors"])
def test_25_id_of_an_account(case: dict[str, str]) -> None:
    assert (
        blinding.blind25_id(raw(case["account_id"]), raw(case["server_pubkey"])).hex() == case["blinded_id"]
    )


@pytest.mark.parametrize("case", GROUPS["transport:blinding.blind15_from_seed"]["vectors"])
def test_15_id_of_the_community_server(case: dict[str, str]) -> None:
    server = raw(GROUPS["transport:blinding.blind15_from_seed"]["server_pubkey"])
    account = account_from_ed25519_seed(raw(case["ed25519_seed"]))
    blinded_id = raw(case["blinded_id"])
    assert blinding.PREFIX_15 + blinding.blind15_key(account, server).public == blinded_id
    assert blinding.blind15_id_of_ed25519(account.ed.public, server) == blinded_id
    assert blinded_id in blinding.blind15_ids(account.id, server)


@pytest.mark.parametrize("case", GROUPS["transport:blinding.blind15_sign"]["vectors"])
def test_15_signature(case: dict[str, str]) -> None:
    account, server = account_from_ed25519_seed(raw(case["ed25519_seed"])), raw(case["server_pubkey"])
    message = case["message_utf8"].encode()
    assert blinding.blind15_sign(SODIUM, account, server, message).hex() == case["signature"]
    assert blinding.blind15_sign_stored(account, server, message).hex() == case["signature"]


@pytest.mark.parametrize("case", GROUPS["transport:blinding.blind25_sign"]["vectors"])
def test_25_signature(case: dict[str, str]) -> None:
    account, server = account_from_ed25519_seed(raw(case["ed25519_seed"])), raw(case["server_pubkey"])
    message = case["message_utf8"].encode()
    assert blinding.blind25_sign(SODIUM, account, server, message).hex() == case["signature"]
    assert blinding.blind25_sign_stored(account, server, message).hex() == case["signature"]


@pytest.mark.parametrize("case", SIGNED, ids=lambda case: str(case["name"]))
def test_signatures_of_the_message_vectors(case: dict[str, Any]) -> None:
    given = case["input"]
    account, server = account_from_ed25519_seed(raw(given["ed25519_sk64"])[:32]), raw(given["server_pk"])
    sign = blinding.blind15_sign if case["name"] == "blind15 sign" else blinding.blind25_sign
    assert sign(SODIUM, account, server, given["message_utf8"].encode()).hex() == case["expected"]


@pytest.mark.parametrize("case", VERSION_PAIR)
def test_version_key_of_the_message_vectors(case: dict[str, Any]) -> None:
    pair = blinding.version_key(account_from_ed25519_seed(raw(case["input"]["ed25519_seed"])))
    assert pair.public.hex() == case["expected"]["pk"]
    assert (pair.secret + pair.public).hex() == case["expected"]["sk64"]


@pytest.mark.parametrize("case", VERSION_SIGN)
def test_version_check_of_the_message_vectors(case: dict[str, Any]) -> None:
    account = account_from_ed25519_seed(raw(case["input"]["ed25519_seed"]))
    text = blinding.version_check_text(case["input"]["timestamp"], "desktop")
    assert text.decode() == case["input"]["signed_string"]
    assert blinding.version_sign(SODIUM, account, text).hex() == case["expected"]


@pytest.mark.parametrize("case", GROUPS["transport:blinding.blind07_version"]["vectors"])
def test_version_key_and_check(case: dict[str, Any]) -> None:
    account = account_from_ed25519_seed(raw(case["ed25519_seed"]))
    pair = blinding.version_key(account)
    assert pair.secret.hex() == case["derived_seed"]
    assert pair.public.hex() == case["pubkey"]
    text = blinding.version_check_text(case["timestamp"], case["platform"])
    assert text.decode() == GROUPS["transport:blinding.blind07_version"]["signed_string"]
    assert blinding.version_sign(SODIUM, account, text).hex() == case["version_sign_signature"]


# ---- Owner and others ----


@given(SEEDS)
@FEW
def test_owner_and_others_find_the_same_ids(seed: bytes) -> None:
    account = account_from_ed25519_seed(seed)
    own15 = blinding.PREFIX_15 + blinding.blind15_key(account, SERVER).public
    own25 = blinding.PREFIX_25 + blinding.blind25_key(account, SERVER).public
    assert own15 == blinding.blind15_id_of_ed25519(account.ed.public, SERVER)
    assert own15 in blinding.blind15_ids(account.id, SERVER)
    assert own25 == blinding.blind25_id(account.id, SERVER)
    assert own25 == blinding.blind25_id_of_ed25519(account.ed.public, SERVER)


def test_second_15_candidate_is_the_one_of_accounts_with_a_negative_key() -> None:
    accounts = [account_from_ed25519_seed(bytes([number]) * 32) for number in range(20)]
    signs = set()
    for account in accounts:
        own = blinding.PREFIX_15 + blinding.blind15_key(account, SERVER).public
        negative = curve.is_negative(account.ed.public)
        assert own == blinding.blind15_ids(account.id, SERVER)[negative]
        signs.add(negative)
    assert signs == {False, True}


def test_servers_and_accounts_tell_ids_apart() -> None:
    accounts = [account_from_ed25519_seed(bytes([number]) * 32) for number in range(5)]
    ids = {
        blinded_id
        for account in accounts
        for server in (SERVER, OTHER)
        for blinded_id in (
            *blinding.blind15_ids(account.id, server),
            blinding.blind25_id(account.id, server),
        )
    }
    assert len(ids) == 5 * 2 * 3


@given(SEEDS)
@FEW
def test_id_matches_its_account_on_its_server_only(seed: bytes) -> None:
    account = account_from_ed25519_seed(seed)
    for blinded_id in (*blinding.blind15_ids(account.id, SERVER), blinding.blind25_id(account.id, SERVER)):
        assert blinding.blinded_id_matches(account.id, blinded_id, SERVER)
        assert not blinding.blinded_id_matches(account.id, blinded_id, OTHER)
        assert not blinding.blinded_id_matches(ANNA.id, blinded_id, SERVER) or account == ANNA


def test_25_id_of_the_other_sign_does_not_match() -> None:
    assert not blinding.blinded_id_matches(
        ANNA.id, blinding.other_sign(blinding.blind25_id(ANNA.id, SERVER)), SERVER
    )


def test_kinds_are_not_mixed_up() -> None:
    fifteen, twenty_five = (
        blinding.blind15_ids(ANNA.id, SERVER)[0],
        blinding.blind25_id(ANNA.id, SERVER),
    )
    for prefix in (b"\x00", b"\x03", b"\x05", b"\x07", b"\x25"):
        assert not blinding.blinded_id_matches(ANNA.id, prefix + fifteen[1:], SERVER)
    for prefix in (b"\x00", b"\x03", b"\x05", b"\x07", b"\x15"):
        assert not blinding.blinded_id_matches(ANNA.id, prefix + twenty_five[1:], SERVER)


@given(st.binary(max_size=36), st.binary(max_size=36))
@FEW
def test_any_bytes_match_nothing(account_id: bytes, blinded_id: bytes) -> None:
    assert not blinding.blinded_id_matches(account_id, blinded_id, SERVER)
    assert not blinding.blinded_id_matches(ANNA.id, blinded_id, SERVER)


# ---- Signatures ----


@pytest.mark.parametrize("of_seed", [False, True])
def test_both_ways_to_the_nonce_verify_and_differ(of_seed: bool) -> None:
    signature = blinding.blind15_sign(SODIUM, ANNA, SERVER, b"text", nonce_of_seed=of_seed)
    assert signature == blinding.blind15_sign_stored(ANNA, SERVER, b"text", nonce_of_seed=of_seed)
    assert real.ed25519_verify(blinding.blind15_key(ANNA, SERVER).public, b"text", signature)
    assert signature != blinding.blind15_sign(SODIUM, ANNA, SERVER, b"text", nonce_of_seed=not of_seed)


def test_request_signatures_verify_in_their_suite(suite: Suite) -> None:
    for key, signature in (
        (blinding.blind15_key(ANNA, SERVER), blinding.blind15_sign(suite, ANNA, SERVER, b"text")),
        (blinding.blind25_key(ANNA, SERVER), blinding.blind25_sign(suite, ANNA, SERVER, b"text")),
        (blinding.version_key(ANNA), blinding.version_sign(suite, ANNA, b"text")),
    ):
        assert len(signature) == 64
        assert suite.verify(key.public, b"text", signature)
        assert not suite.verify(key.public, b"Text", signature)
        assert not suite.verify(ANNA.ed.public, b"text", signature)


def test_stored_signatures_are_real_in_every_suite(suite: Suite) -> None:
    for key, signature in (
        (blinding.blind15_key(ANNA, SERVER), blinding.blind15_sign_stored(ANNA, SERVER, b"post")),
        (blinding.blind25_key(ANNA, SERVER), blinding.blind25_sign_stored(ANNA, SERVER, b"post")),
    ):
        assert suite.verify_stored(key.public, b"post", signature)
        assert real.ed25519_verify(key.public, b"post", signature)


def test_nonces_depend_on_server_and_message() -> None:
    for sign in (blinding.blind15_sign_stored, blinding.blind25_sign_stored):
        nonces = {sign(ANNA, server, message)[:32] for server in (SERVER, OTHER) for message in (b"a", b"b")}
        assert len(nonces) == 4


def test_version_texts() -> None:
    assert blinding.version_text(1702415322, "GET", "/token/info") == b"1702415322GET/token/info"
    assert blinding.version_text(0, "POST", "/é", b"\xff") == b"0POST/\xc3\xa9\xff"
    for platform in ("desktop", "android", "ios"):
        expected = f"7GET/session_version?platform={platform}".encode()
        assert blinding.version_check_text(7, platform) == expected


def test_unknown_platform_and_negative_time_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="windows"):
        blinding.version_check_text(7, "windows")
    with pytest.raises(LocalProtocolError):
        blinding.version_text(-1, "GET", "/")


# ---- Points that are refused ----


@pytest.mark.parametrize("point", REFUSED.values(), ids=REFUSED)
def test_key_that_is_no_point_of_the_main_group_has_no_id(point: bytes) -> None:
    with pytest.raises(CannotOpen):
        blinding.blind15_id_of_ed25519(point, SERVER)
    with pytest.raises(CannotOpen):
        blinding.blind25_id_of_ed25519(point, SERVER)


@pytest.mark.parametrize(
    "account_id",
    [
        b"",
        ANNA.id[:-1],
        ANNA.id + b"\0",
        ANNA.id[1:],
        b"\x15" + ANNA.id[1:],
        b"\x05" + bytes(32),
        b"\x05" + b"\x01" + bytes(31),
        b"\x05" + ((1 << 255) - 20).to_bytes(32, "little"),
        b"\x05" + b"\x02" + bytes(31),
    ],
    ids=["empty", "short", "long", "bare", "prefix", "u=0", "u=1", "u=-1", "on the twist"],
)
def test_what_is_no_account_id_has_no_blinded_ids(account_id: bytes) -> None:
    with pytest.raises(CannotOpen):
        blinding.blind15_ids(account_id, SERVER)
    with pytest.raises(CannotOpen):
        blinding.blind25_id(account_id, SERVER)
    assert not blinding.blinded_id_matches(account_id, blinding.blind25_id(ANNA.id, SERVER), SERVER)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_server_key_of_another_length_is_our_mistake(size: int) -> None:
    def uses(account: Account, server: bytes) -> list[Any]:
        return [
            lambda: blinding.blind15_ids(account.id, server),
            lambda: blinding.blind25_id(account.id, server),
            lambda: blinding.blind15_key(account, server),
            lambda: blinding.blind25_key(account, server),
            lambda: blinding.blinded_id_matches(account.id, b"\x15" + bytes(32), server),
        ]

    for use in uses(ANNA, bytes(size)):
        with pytest.raises(LocalProtocolError):
            use()
