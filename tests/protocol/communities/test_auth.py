"""Signed headers: known answers, what exactly is signed, and everything a community refuses."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.communities import calls
from sessionsim.protocol.communities.auth import (
    HEADER_ORDER,
    NONCE,
    PUBKEY,
    SIGNATURE,
    TIMESTAMP,
    BadAuthentication,
    decoded_path,
    read_claim,
    sign_request,
    signed_bytes,
    verify_claim,
)
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed
from sessionsim.protocol.server_request import ServerRequest

MakeHall = Callable[..., Any]
FILE = Path(__file__).parents[2] / "vectors" / "communities.json"
KNOWN = json.loads(FILE.read_text("utf-8"))["groups"]["desktop:signed_headers"]
SUITES = {name: suite_named(name, memo=False) for name in ("fast", "sodium")}
REAL = SUITES["sodium"]
ACCOUNT = account_from_ed25519_seed(bytes.fromhex(KNOWN["ed25519_seed"]))
SERVER = bytes.fromhex(KNOWN["server_pubkey"])
NONCE16 = bytes.fromhex(KNOWN["nonce"])
REQUEST = ServerRequest(KNOWN["method"], KNOWN["path"], {})


@pytest.mark.parametrize("case", KNOWN["cases"], ids=lambda c: f"{c['blinded']} {c['body_utf8']}")
def test_the_headers_of_desktop_come_out_byte_for_byte_and_verify(case: dict[str, Any]) -> None:
    assert ACCOUNT.ed.public.hex() == KNOWN["ed25519_pubkey"]
    request = REQUEST._replace(body=case["body_utf8"].encode())
    signed = sign_request(
        REAL, ACCOUNT, SERVER, request, KNOWN["timestamp"], NONCE16, blinded=case["blinded"]
    )
    assert signed.headers == case["headers"]
    claim = read_claim(signed, require_blinding=False)
    assert claim is not None
    assert verify_claim(REAL, SERVER, claim, signed)
    assert not verify_claim(REAL, SERVER, claim, signed._replace(body=signed.body + b"."))


def test_the_library_signs_under_the_same_key_with_another_nonce() -> None:
    signatures = set()
    for family, order in HEADER_ORDER.items():
        signed = sign_request(REAL, ACCOUNT, SERVER, REQUEST, 5, NONCE16, family=family)
        assert tuple(signed.headers) == order
        claim = read_claim(signed, require_blinding=True)
        assert claim is not None
        assert verify_claim(REAL, SERVER, claim, signed)
        signatures.add(claim.signature)
    assert len(signatures) == 2


def test_what_is_signed_is_put_together_in_this_order() -> None:
    request = ServerRequest("PUT", "/a%20b/%F0%9F%8D%8D?x=%20", {}, b"body")
    hashed = hashlib.blake2b(b"body").digest()
    path = "/a b/🍍?x=%20".encode()
    assert signed_bytes(SERVER, NONCE16, "12", request) == SERVER + NONCE16 + b"12PUT" + path + hashed
    assert signed_bytes(SERVER, NONCE16, "12", request._replace(body=b""))[-len(path) :] == path


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [("/x", "/x"), ("/x?", "/x"), ("/x?a=1", "/x?a=1"), ("/%2525", "/%25"), ("/🍍?%20", "/🍍?%20")],
)
def test_a_path_is_decoded_once_and_a_query_never(endpoint: str, path: str) -> None:
    assert decoded_path(endpoint) == path


def test_escapes_that_are_no_text_are_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        decoded_path("/%ff")


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=st.text(max_size=20),
    body=st.binary(max_size=20),
    change=st.sampled_from(["method", "endpoint", "body"]),
    blinded=st.booleans(),
)
@settings(deadline=None, max_examples=25, derandomize=True)
def test_no_part_of_a_signed_request_can_be_changed(
    suite: Any, method: str, path: str, body: bytes, change: str, blinded: bool
) -> None:
    request = ServerRequest(method, "/" + path.replace("%", "").encode("utf-8", "replace").decode(), {}, body)
    signed = sign_request(suite, ACCOUNT, SERVER, request, 7, NONCE16, blinded=blinded)
    claim = read_claim(signed, require_blinding=False)
    assert claim is not None
    assert verify_claim(suite, SERVER, claim, signed)
    other: dict[str, Any] = {
        "method": method + "X",
        "endpoint": signed.endpoint.partition("?")[0] + "x",
        "body": body + b"x",
    }
    assert not verify_claim(suite, SERVER, claim, signed._replace(**{change: other[change]}))
    assert not verify_claim(suite, bytes(32), claim, signed)


def test_misuse_is_our_error() -> None:
    for nonce, family in ((bytes(15), "desktop"), (bytes(16), "web")):
        with pytest.raises(LocalProtocolError):
            sign_request(REAL, ACCOUNT, SERVER, REQUEST, 5, nonce, family=family)


# ---- What is refused ----

GOOD = dict(sign_request(REAL, ACCOUNT, SERVER, REQUEST, 5, NONCE16).headers)
BARE = dict(sign_request(REAL, ACCOUNT, SERVER, REQUEST, 5, NONCE16, blinded=False).headers)
SMALL_ORDER = "15" + (1).to_bytes(32, "little").hex()


def claim_of(headers: dict[str, str]) -> Any:
    return read_claim(ServerRequest("GET", "/", headers), require_blinding=True)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        (PUBKEY, "", " headers: missing 1/4 required X-SOGS-* headers"),
        (PUBKEY, GOOD[PUBKEY][:-2], ": X-SOGS-Pubkey is not a valid 66-hex digit id"),
        (PUBKEY, "zz" * 33, ": X-SOGS-Pubkey is not a valid 66-hex digit id"),
        (PUBKEY, " " * 66, ": X-SOGS-Pubkey is not a valid 66-hex digit id"),
        (PUBKEY, "05" + GOOD[PUBKEY][2:], ": X-SOGS-Pubkey must be 00- or 15- prefixed"),
        (PUBKEY, "25" + GOOD[PUBKEY][2:], ": X-SOGS-Pubkey must be 00- or 15- prefixed"),
        (PUBKEY, SMALL_ORDER, ": given X-SOGS-Pubkey is not a valid Ed25519 pubkey"),
        (PUBKEY, "15" + "ff" * 32, ": given X-SOGS-Pubkey is not a valid Ed25519 pubkey"),
        (PUBKEY, BARE[PUBKEY], ": this server requires the use of blinded ids"),
        (NONCE, "AAAA", ": X-SOGS-Nonce must be 16 bytes (encoded as base64 or hex)"),
        (NONCE, "?" * 24, ": X-SOGS-Nonce must be 16 bytes (encoded as base64 or hex)"),
        (SIGNATURE, "A" * 87, ": X-SOGS-Signature is not base64[88]"),
        (SIGNATURE, "é" * 88, ": X-SOGS-Signature is not base64[88]"),
        (TIMESTAMP, "soon", ": X-SOGS-Timestamp is not a valid timestamp"),
        (TIMESTAMP, "1.5", ": X-SOGS-Timestamp is not a valid timestamp"),
        (TIMESTAMP, "9" * 5000, ": X-SOGS-Timestamp is not a valid timestamp"),
        (TIMESTAMP, "1__0", ": X-SOGS-Timestamp is not a valid timestamp"),
    ],
)
def test_headers_that_prove_nothing_are_told_what_is_wrong(name: str, value: str, text: str) -> None:
    with pytest.raises(BadAuthentication) as refused:
        claim_of(GOOD | {name: value})
    assert (refused.value.status, refused.value.text) == (400, f"Invalid authentication{text}")


def test_no_headers_are_nobody_and_some_are_too_few() -> None:
    assert claim_of({}) is None
    assert claim_of(dict.fromkeys(GOOD, "")) is None
    with pytest.raises(BadAuthentication, match="missing 3/4"):
        claim_of({NONCE: GOOD[NONCE]})


def test_hex_base64_with_and_without_padding_and_any_case_of_names_are_read() -> None:
    nonce = base64.b64encode(NONCE16).decode()
    for text in (nonce, nonce.rstrip("="), NONCE16.hex(), NONCE16.hex().upper()):
        assert claim_of({**GOOD, NONCE: text}).nonce == NONCE16
    with pytest.raises(BadAuthentication):
        claim_of({**GOOD, NONCE: nonce[:-1]})  # half the padding
    key = base64.b64encode(bytes.fromhex(GOOD[PUBKEY])).decode()
    assert (
        claim_of({name.lower(): value for name, value in {**GOOD, PUBKEY: key}.items()}).session_id
        == GOOD[PUBKEY]
    )


def test_a_bare_key_is_known_by_its_account_id() -> None:
    claim = read_claim(ServerRequest("GET", "/", BARE), require_blinding=False)
    assert claim is not None
    assert claim.session_id == ACCOUNT.id_hex
    assert claim.point == ACCOUNT.ed.public


@given(st.dictionaries(st.sampled_from([PUBKEY, NONCE, TIMESTAMP, SIGNATURE]), st.text(max_size=100)))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_hostile_headers_give_only_the_documented_error(headers: dict[str, str]) -> None:
    try:
        claim = claim_of({**GOOD, **headers})
    except BadAuthentication:
        return
    assert claim is None or len(claim.nonce) == 16


# ---- At the server ----


def test_clock_nonce_and_signature_are_checked_in_this_order(make_hall: MakeHall) -> None:
    hall = make_hall()
    person = hall.person("a")
    request = calls.capabilities().alone()
    day = 24 * 3600
    for offset, status in ((-day, 200), (day, 200), (-day - 1, 425), (day + 1, 425)):
        late = sign_request(
            hall.suite, person.account, SERVER_X, request, hall.unix_us // 1_000_000 + offset,
            hashlib.sha256(b"%d" % offset).digest()[:16],
        )  # fmt: skip
        answer = hall.server.handle(late, hall.now_us)
        assert answer.status == status
        assert (status == 200) or answer.body.endswith(b"X-SOGS-Timestamp is too far from current time")
    signed = person.signed(request)
    forged = signed._replace(endpoint="/rooms")
    assert hall.server.handle(forged, hall.now_us) == (
        401,
        {"content-type": "text/plain; charset=utf-8"},
        b"Invalid authentication: X-SOGS-Signature verification failed",
    )
    # The forgery has used up the nonce.
    replay = hall.server.handle(signed, hall.now_us)
    assert (replay.status, replay.body) == (425, b"Invalid authentication: X-SOGS-Nonce cannot be reused")


SERVER_X = real.x25519_keypair(hashlib.sha256(b"community").digest()).public


def test_a_nonce_is_forgotten_after_a_day_so_that_a_request_from_the_future_passes_twice(
    make_hall: MakeHall,
) -> None:
    hall = make_hall()
    person, request = hall.person("a"), calls.capabilities().alone()
    ahead = hall.unix_us // 1_000_000 + 24 * 3600
    signed = sign_request(hall.suite, person.account, SERVER_X, request, ahead, bytes(16))
    assert hall.server.handle(signed, hall.now_us).status == 200
    hall.wait(24 * 3600)
    assert hall.server.handle(signed, hall.now_us).status == 425
    hall.wait(20)
    assert hall.server.handle(signed, hall.now_us).status == 200


@pytest.mark.parametrize(("shared", "status"), [(True, 425), (False, 200)])
def test_whose_nonces_count(make_hall: MakeHall, shared: bool, status: int) -> None:
    hall = make_hall(nonces_are_global=shared)
    now_s = hall.unix_us // 1_000_000
    for name, expected in (("a", 200), ("b", status)):
        account = hall.person(name).account
        signed = sign_request(hall.suite, account, SERVER_X, calls.capabilities().alone(), now_s, bytes(16))
        assert hall.server.handle(signed, hall.now_us).status == expected


def test_bare_keys_pass_only_where_blinding_is_not_required(make_hall: MakeHall) -> None:
    strict, lax = make_hall(), make_hall(require_blinding=False)
    assert strict.person("a", blinded=False).ask(calls.rooms()).body == (
        b"Invalid authentication: this server requires the use of blinded ids"
    )
    person = lax.person("a", blinded=False)
    person.get(calls.rooms())
    assert list(lax.state.members) == [person.account.id_hex]
    lax.person("b").get(calls.rooms())


def test_an_id_is_known_from_its_first_request_even_a_forged_one(make_hall: MakeHall) -> None:
    hall = make_hall()
    person = hall.person("a")
    forged = person.signed(calls.rooms().alone())._replace(method="POST")
    assert hall.server.handle(forged, hall.now_us).status == 401
    member = hall.state.members[person.id]
    hall.wait(5)
    person.get(calls.rooms())
    assert (member.created_us, member.last_active_us) == (hall.unix_us - 5_000_000, hall.unix_us)


@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_both_suites_admit_and_refuse_alike(make_hall: MakeHall, suite: str) -> None:
    hall = make_hall(suite)
    person = hall.person("a")
    person.get(calls.capabilities())
    other = hall.person("b").signed(calls.capabilities().alone())
    mixed = dict(other.headers) | {PUBKEY: person.id}
    assert hall.server.handle(other._replace(headers=mixed), hall.now_us).status == 401


def test_a_method_that_is_no_text_is_not_signed_and_no_fault() -> None:
    request = sign_request(
        REAL, ACCOUNT, bytes(32), ServerRequest("GET", "/rooms", {}), 1_777_000_000, bytes(16)
    )
    claim = read_claim(request, require_blinding=True)
    assert claim is not None
    assert verify_claim(REAL, bytes(32), claim, request)
    assert not verify_claim(REAL, bytes(32), claim, request._replace(method="G\udc80T"))
