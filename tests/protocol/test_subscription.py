"""Subscribing: what clients sign and write, and what the push server refuses of it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.core.units import US_PER_DAY
from sessionsim.protocol.crypto import KeyPair, Suite, real, suite_named
from sessionsim.protocol.groups.identity import group_from_seed
from sessionsim.protocol.groups.subaccount import sign_request, signing_value, subaccount_of
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.push.authority import (
    Authority,
    SignatureRefused,
    authority_of,
    check_account,
    check_signature,
)
from sessionsim.protocol.push.registration import (
    EntryRefused,
    PushError,
    read_subscription,
    read_unsubscription,
)
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.subscription import (
    ANDROID_NAMESPACES,
    GROUP_NAMESPACES,
    IOS_NAMESPACES,
    SERVICES,
    Device,
    sign_subscription,
    subscribe_request,
    unsubscribe_request,
    unsubscribe_text,
)
from sessionsim.protocol.wire.monitor import read_calls, signed_text, write_call

NOW_S = 1_777_000_000
NOW_US = NOW_S * 1_000_000
RULES = PushRules()
PHONE, ANDROID = Device("apns", "ab" * 32), Device("firebase", "t" * 140)
ENC_KEY = bytes(range(32))
ALICE = account_from_seed(bytes(16))
OWNER = Authority(ALICE.id, ALICE.ed.public)
GROUP_KEY, MEMBER_KEY = (
    real.ed25519_keypair(hashlib.sha256(name).digest()) for name in (b"group", b"member")
)
GROUP = b"\x03" + GROUP_KEY.public
ADMIN = Authority(GROUP)


def member(flags: int = 3, prefix: int = 3, key: KeyPair = GROUP_KEY) -> Authority:
    token = bytes([prefix, flags, 0, 0]) + MEMBER_KEY.public
    return Authority(GROUP, b"", token, real.ed25519_sign(key, token))


@pytest.fixture(params=["fast", "sodium"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return suite_named(request.param, memo=False)


def signer(suite: Suite, key: KeyPair) -> Callable[[bytes], bytes]:
    return lambda text: suite.sign(key, text)


def entry(
    suite: Suite, authority: Authority = OWNER, key: KeyPair = ALICE.ed, **change: Any
) -> dict[str, Any]:
    """Give one written subscription, changed; None takes a field out."""
    subscription = sign_subscription(authority, signer(suite, key), IOS_NAMESPACES, NOW_S)
    body = subscribe_request([(subscription, PHONE, ENC_KEY)], as_list=False).body
    return {name: value for name, value in {**json.loads(body), **change}.items() if value is not None}


def read(suite: Suite, part: object, unix_us: int = NOW_US) -> Any:
    return read_subscription(RULES, suite, SERVICES, part, unix_us)


def test_the_lists_of_namespaces() -> None:
    assert (ANDROID_NAMESPACES, IOS_NAMESPACES) == ((0,), (0, 2, 3, 4, 5))
    assert GROUP_NAMESPACES == (-11, 11, 12, 13, 14)


def test_the_owner_signs_the_ordered_list(suite: Suite) -> None:
    shuffled = (14, -11, 12, 11, 13)
    subscription = sign_subscription(ADMIN, signer(suite, GROUP_KEY), shuffled, NOW_S, want_data=False)
    text = f"MONITOR{GROUP.hex()}{NOW_S}0-11,11,12,13,14".encode()
    assert subscription.namespaces == GROUP_NAMESPACES
    assert suite.verify(GROUP_KEY.public, text, subscription.signature)


def test_the_request_of_an_account() -> None:
    suite = suite_named("sodium")
    subscription = sign_subscription(OWNER, signer(suite, ALICE.ed), IOS_NAMESPACES, NOW_S)
    request = subscribe_request([(subscription, PHONE, ENC_KEY)], as_list=False)
    text = f"MONITOR{ALICE.id_hex}{NOW_S}10,2,3,4,5".encode()
    assert (request.method, request.endpoint) == ("POST", "/subscribe")
    assert request.headers == {"Content-Type": "application/json"}
    assert list(json.loads(request.body).items()) == [
        ("pubkey", ALICE.id_hex),
        ("session_ed25519", ALICE.ed.public.hex()),
        ("namespaces", [0, 2, 3, 4, 5]),
        ("data", True),
        ("sig_ts", NOW_S),
        ("signature", base64.b64encode(real.ed25519_sign(ALICE.ed, text)).decode()),
        ("service", "apns"),
        ("service_info", {"token": "ab" * 32}),
        ("enc_key", ENC_KEY.hex()),
    ]


def test_the_request_of_a_member_in_both_spellings_and_as_a_list(suite: Suite) -> None:
    authority = member()
    subscription = sign_subscription(authority, signer(suite, MEMBER_KEY), GROUP_NAMESPACES, NOW_S)
    for spelling, token in (
        ("hex", authority.token.hex()),
        ("base64", base64.b64encode(authority.token).decode()),
    ):
        request = subscribe_request([(subscription, ANDROID, ENC_KEY)], subaccount_as=spelling)
        (fields,) = json.loads(request.body)
        assert fields["subaccount"] == token
        assert fields["subaccount_sig"] == base64.b64encode(authority.token_signature).decode()
        assert "session_ed25519" not in fields
        assert read(suite, fields) == (ANDROID, (subscription, ENC_KEY))
    several = subscribe_request([(subscription, device, ENC_KEY) for device in (PHONE, ANDROID)])
    assert [part["service"] for part in json.loads(several.body)] == ["apns", "firebase"]


def test_the_request_to_unsubscribe(suite: Suite) -> None:
    request = unsubscribe_request([(OWNER, PHONE)], signer(suite, ALICE.ed), NOW_S)
    (fields,) = json.loads(request.body)
    assert request.endpoint == "/unsubscribe"
    assert list(fields) == ["pubkey", "session_ed25519", "sig_ts", "signature", "service", "service_info"]
    signature = base64.b64decode(fields["signature"])
    assert suite.verify(ALICE.ed.public, f"UNSUBSCRIBE{ALICE.id_hex}{NOW_S}".encode(), signature)
    assert read_unsubscription(RULES, suite, SERVICES, fields, NOW_US) == (ALICE.id, PHONE)


def test_own_mistakes(suite: Suite) -> None:
    sign = signer(suite, ALICE.ed)
    subscription = sign_subscription(OWNER, sign, (0,), NOW_S)
    for make in (
        lambda: sign_subscription(OWNER, sign, (), NOW_S),
        lambda: sign_subscription(OWNER, sign, (0, 0), NOW_S),
        lambda: subscribe_request([(subscription, PHONE, ENC_KEY[:31])]),
        lambda: subscribe_request([]),
        lambda: subscribe_request([(subscription, PHONE, ENC_KEY)] * 2, as_list=False),
        lambda: unsubscribe_request([], sign, NOW_S),
    ):
        with pytest.raises(LocalProtocolError):
            make()


def test_the_server_reads_what_clients_write(suite: Suite) -> None:
    for authority, key in (
        (OWNER, ALICE.ed),
        (ADMIN, GROUP_KEY),
        (member(), MEMBER_KEY),
        (member(1), MEMBER_KEY),
    ):
        device, (subscription, enc_key) = read(suite, entry(suite, authority, key))
        assert (device, enc_key) == (PHONE, ENC_KEY)
        assert (subscription.authority, subscription.signed_s) == (authority, NOW_S)
        # The node gets the very same signature, and finds the same authority in it.
        (call,), _ = read_calls(write_call(subscription.call()))
        assert authority_of(call) == authority  # type: ignore[arg-type]
        text = signed_text(authority.account, NOW_S, True, IOS_NAMESPACES)
        check_signature(suite, authority_of(call), text, call.signature)  # type: ignore[arg-type,union-attr]


def test_bytes_may_be_hex_or_base64_with_or_without_padding(suite: Suite) -> None:
    def spellings(raw: bytes) -> list[str]:
        full = base64.b64encode(raw).decode()
        return [raw.hex(), raw.hex().upper(), full, full.rstrip("=")]

    good = entry(suite)
    signature = base64.b64decode(good["signature"])
    for name, raw in (
        ("pubkey", ALICE.id),
        ("session_ed25519", ALICE.ed.public),
        ("signature", signature),
        ("enc_key", ENC_KEY),
    ):
        for text in spellings(raw):
            assert read(suite, {**good, name: text})


@pytest.mark.parametrize("off_us", [-US_PER_DAY + 1, 0, 14 * US_PER_DAY - 1])
def test_a_signature_is_good_for_two_weeks(off_us: int, suite: Suite) -> None:
    assert read(suite, entry(suite), NOW_US + off_us)


@pytest.mark.parametrize("off_us", [-US_PER_DAY, 14 * US_PER_DAY])
def test_a_signature_too_old_or_too_new_is_refused(off_us: int, suite: Suite) -> None:
    with pytest.raises(RemoteProtocolError, match="sig_ts"):
        read(suite, entry(suite), NOW_US + off_us)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        *[({name: None}, name) for name in ("pubkey", "session_ed25519", "sig_ts", "signature", "enc_key")],
        ({"data": None}, "data"),
        ({"namespaces": None}, "namespaces"),
        ({"service": None}, "service"),
        ({"service_info": None}, "service"),
        ({"pubkey": ALICE.id_hex[:64]}, "pubkey"),
        ({"pubkey": 5}, "pubkey"),
        ({"pubkey": "zz" * 33}, "pubkey"),
        ({"pubkey": "05" + "11" * 32}, "convert"),
        ({"pubkey": GROUP.hex()}, "Signature"),  # another account
        ({"session_ed25519": GROUP_KEY.public.hex()}, "convert"),
        ({"session_ed25519": "ff" * 32}, "convert"),
        ({"namespaces": []}, "missing or empty"),
        ({"namespaces": "0"}, "missing or empty"),
        ({"namespaces": [0, 2, 3, 5, 4]}, "sorted"),
        ({"namespaces": [0, 0]}, "sorted"),
        ({"namespaces": [0.5]}, "16-bit"),
        ({"namespaces": [True]}, "16-bit"),
        ({"namespaces": [40_000]}, "16-bit"),
        ({"namespaces": [0, 2, 3, 4]}, "Signature"),  # not what was signed
        ({"data": False}, "Signature"),
        ({"data": 1}, "data"),
        ({"sig_ts": NOW_S + 1}, "Signature"),
        ({"sig_ts": str(NOW_S)}, "sig_ts"),
        ({"sig_ts": 0}, "too old"),
        ({"sig_ts": 1 << 63}, "sig_ts"),
        ({"sig_ts": 1.5}, "sig_ts"),
        ({"signature": "AAAA"}, "signature"),
        ({"signature": "00" * 64}, "Signature"),
        ({"enc_key": "00" * 31}, "enc_key"),
        ({"subaccount": "00" * 36}, "subaccount_sig"),
        ({"service_info": {"token": 5}}, "token"),
        ({"service_info": {"token": ""}}, "token"),
        ({"service_info": {"token": "ab" * 31}}, "length-64"),
        ({"service": "firebase", "service_info": {"token": "short"}}, "too short"),
        ({"service": "huawei", "service_info": {"token": "t" * 1000}}, "too short or too long"),
    ],
)  # fmt: skip
def test_what_the_server_refuses(change: dict[str, Any], why: str, suite: Suite) -> None:
    with pytest.raises(RemoteProtocolError, match=why) as wrong:
        read(suite, entry(suite, **change))
    assert not isinstance(wrong.value, EntryRefused)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"service": "windows"}, PushError.SERVICE_NOT_AVAILABLE),
        ({"service_info": {}}, PushError.BAD_INPUT),
        ({"service_info": "ab" * 32}, PushError.BAD_INPUT),
    ],
)
def test_refusals_with_a_code_of_their_own(change: dict[str, Any], code: PushError, suite: Suite) -> None:
    with pytest.raises(EntryRefused) as wrong:
        read(suite, entry(suite, **change))
    assert wrong.value.code == code


@pytest.mark.parametrize(
    ("authority", "key"),
    [
        (member(flags=2), MEMBER_KEY),  # may not read
        (member(prefix=5), MEMBER_KEY),  # for another kind of account
        (member(key=MEMBER_KEY), MEMBER_KEY),  # signed by itself
        (member(), GROUP_KEY),  # the token of somebody else
        (ADMIN, MEMBER_KEY),  # no token
    ],
)
def test_subaccounts_that_may_not(authority: Authority, key: KeyPair, suite: Suite) -> None:
    with pytest.raises(SignatureRefused):
        read(suite, entry(suite, authority, key))


def test_a_member_of_a_group_subscribes_with_the_key_of_its_invite(suite: Suite) -> None:
    group = group_from_seed(hashlib.sha256(b"group").digest())
    access = subaccount_of(ALICE, signing_value(suite, group, ALICE.id))
    authority = Authority(group.id, b"", access.token, access.token_signature)
    subscription = sign_subscription(
        authority, lambda text: sign_request(suite, access, text), GROUP_NAMESPACES, NOW_S
    )
    (fields,) = json.loads(subscribe_request([(subscription, PHONE, ENC_KEY)]).body)
    assert read(suite, fields) == (PHONE, (subscription, ENC_KEY))


def test_a_token_for_any_prefix_serves_every_account(suite: Suite) -> None:
    assert read(suite, entry(suite, member(flags=1 | 8, prefix=5), MEMBER_KEY))


def test_only_05_accounts_show_a_key() -> None:
    for wrong in (Authority(GROUP, GROUP_KEY.public), Authority(ALICE.id)):
        with pytest.raises(SignatureRefused):
            check_account(wrong)
    check_account(OWNER)
    check_account(ADMIN)


def test_a_call_with_a_key_that_is_none_names_nobody() -> None:
    subscription = sign_subscription(OWNER, lambda text: bytes(64), (0,), NOW_S)
    with pytest.raises(SignatureRefused):
        authority_of(subscription.call()._replace(ed25519=b"\xff" * 32))


def test_unsubscribing_is_signed_within_a_day(suite: Suite) -> None:
    request = unsubscribe_request([(OWNER, PHONE)], signer(suite, ALICE.ed), NOW_S, as_list=False)
    fields = json.loads(request.body)
    for off_us in (-US_PER_DAY, US_PER_DAY):
        assert read_unsubscription(RULES, suite, SERVICES, fields, NOW_US + off_us)
        with pytest.raises(RemoteProtocolError, match="too far"):
            read_unsubscription(RULES, suite, SERVICES, fields, NOW_US + off_us + (1 if off_us > 0 else -1))
    subscribed = sign_subscription(OWNER, signer(suite, ALICE.ed), (0,), NOW_S)
    for signature in (subscribed.signature, bytes(64)):
        forged = {**fields, "signature": signature.hex()}
        with pytest.raises(SignatureRefused):
            read_unsubscription(RULES, suite, SERVICES, forged, NOW_US)
    assert unsubscribe_text(ALICE.id, 5) == f"UNSUBSCRIBE{ALICE.id_hex}5".encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (*entry(suite_named("fast"), member(), MEMBER_KEY), "session_ed25519")


@settings(deadline=None, max_examples=150, derandomize=True)
@given(JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
def test_any_entry_is_read_or_refused(hostile: Any) -> None:
    suite = suite_named("fast")
    changed = entry(suite) | hostile if isinstance(hostile, dict) else hostile
    for part in (hostile, changed):
        for reader in (read_subscription, read_unsubscription):
            try:
                reader(RULES, suite, SERVICES, part, NOW_US)
            except RemoteProtocolError:
                continue
