"""The signed question for the newest client: what is signed, and what the server refuses."""

from __future__ import annotations

import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.blinding import version_key
from sessionsim.protocol.crypto import Suite, curve, real, suite_named
from sessionsim.protocol.files.version_check import CheckRefused, check_request, version_request
from sessionsim.protocol.identity import account_from_ed25519_seed
from sessionsim.protocol.server_request import ServerRequest

NOW_S = 1_234_567_890
DAY_S = 24 * 3600
ACCOUNT = account_from_ed25519_seed(
    bytes.fromhex("fecd9a6034bc9aba273925dee7062b123334587c3c6257341afae2d7fe85e122")
)
PAIR = version_key(ACCOUNT)
REAL = suite_named("sodium", memo=False)


@pytest.fixture(params=["fast", "sodium"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return suite_named(request.param, memo=False)


def changed(request: ServerRequest, **headers: str | None) -> ServerRequest:
    merged = {**request.headers, **{f"X-FS-{name}": value for name, value in headers.items()}}
    return request._replace(headers={name: value for name, value in merged.items() if value is not None})


def test_the_signature_is_that_of_the_reference() -> None:
    # libsession-util: tests/test_blinding.cpp.
    request = version_request(REAL, ACCOUNT, "desktop", NOW_S)
    assert request.headers == {
        "X-FS-Pubkey": "0788e8adb27e7b8ce776fcc25bc1501fb2888fcac0308e52fb10044f789ae1a8fa",
        "X-FS-Timestamp": "1234567890",
        "X-FS-Signature": "FDwsmCj3aA7oHmJHvHqkd3xJka3YfNckFJsARSvtTpIP"
        "pX2vRifGj0P8vdstRl1eoR3vUj8777K77jnHaWdjBQ==",
    }
    assert request.endpoint == "/session_version?platform=desktop"


def test_a_signed_request_is_accepted_within_a_day(suite: Suite) -> None:
    for channel in ("", "alpha"):
        request = version_request(suite, ACCOUNT, "ios", NOW_S, channel=channel)
        for off_s in (-DAY_S, 0, DAY_S):
            name = check_request(suite, request, (NOW_S + off_s) * 1_000_000)
            assert name == "07" + PAIR.public.hex()


def test_an_unsigned_request_is_accepted_as_nobody(suite: Suite) -> None:
    unsigned = ServerRequest("GET", "/session_version?platform=ios", {})
    assert check_request(suite, unsigned, NOW_S * 1_000_000) == ""
    blank = dict.fromkeys(("X-FS-Pubkey", "X-FS-Timestamp", "X-FS-Signature"), "")
    assert check_request(suite, unsigned._replace(headers=blank), NOW_S * 1_000_000) == ""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Pubkey": None}, 400),
        ({"Timestamp": ""}, 400),
        ({"Signature": None}, 400),
        ({"Pubkey": "05" + PAIR.public.hex()}, 400),
        ({"Pubkey": "07" + "00" * 32}, 400),  # no usable point
        ({"Pubkey": "07" + "ff" * 32}, 400),
        ({"Pubkey": PAIR.public.hex()}, 400),
        ({"Pubkey": "zz" * 33}, 400),
        ({"Signature": "AAAA"}, 400),
        ({"Signature": "é" * 88}, 400),
        ({"Timestamp": "1e9"}, 400),
        ({"Timestamp": "9" * 40}, 400),
        ({"Timestamp": str(NOW_S + DAY_S + 1)}, 425),
        ({"Timestamp": str(NOW_S - DAY_S - 1)}, 425),
        ({"Timestamp": str(NOW_S + 1)}, 401),  # not what was signed
        ({"Signature": "00" * 64}, 401),
    ],
)
def test_refusals_in_the_order_of_the_server(
    headers: dict[str, str | None], status: int, suite: Suite
) -> None:
    request = changed(version_request(suite, ACCOUNT, "android", NOW_S), **headers)
    with pytest.raises(CheckRefused) as wrong:
        check_request(suite, request, NOW_S * 1_000_000)
    assert wrong.value.status == status


def test_path_query_and_method_are_signed(suite: Suite) -> None:
    request = version_request(suite, ACCOUNT, "android", NOW_S)
    for other in (
        request._replace(endpoint="/session_version?platform=ios"),
        request._replace(endpoint="/session_version"),
        request._replace(method="POST"),
    ):
        with pytest.raises(CheckRefused):
            check_request(suite, other, NOW_S * 1_000_000)


def test_key_and_signature_may_be_hex_or_base64() -> None:
    request = version_request(REAL, ACCOUNT, "android", NOW_S)
    signature = real.ed25519_sign(PAIR, f"{NOW_S}GET{request.endpoint}".encode())
    hexed = changed(request, Signature=signature.hex())
    bare = changed(request, Signature=request.headers["X-FS-Signature"].rstrip("="))
    for one in (hexed, bare):
        assert check_request(REAL, one, NOW_S * 1_000_000)


def test_an_unknown_platform_or_time_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        version_request(REAL, ACCOUNT, "symbian", NOW_S)
    with pytest.raises(LocalProtocolError):
        version_request(REAL, ACCOUNT, "ios", -1)


def test_points_are_told_from_other_bytes() -> None:
    assert curve.is_point(PAIR.public)
    for wrong in (bytes(32), b"\xff" * 32, PAIR.public[:31], b"", b"\1" + bytes(31)):
        assert not curve.is_point(wrong)
