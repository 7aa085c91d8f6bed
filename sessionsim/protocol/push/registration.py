"""How the push server reads and checks one entry of a request to subscribe or unsubscribe (messages 9).

Bytes may be hex or base64. Everything is checked before anything is kept: the account and its key, that the
service runs, the namespaces, the age of the signature, the signature, and last the token, as the service
sees it.
Source: session-push-notification-server: spns/hivemind.cpp (sub_unsub_args, on_notifier_validation,
remove_subscription), spns/hive/subscription.cpp.
"""

from __future__ import annotations

import binascii
from collections.abc import Collection
from enum import IntEnum
from itertools import pairwise
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.namespaces import MAX_NAMESPACE, MIN_NAMESPACE
from sessionsim.protocol.push.authority import Authority, check_account, check_signature
from sessionsim.protocol.push.notifiers import check_token
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.subscription import KEY_BYTES, Device, Subscription, unsubscribe_text
from sessionsim.protocol.wire.monitor import (
    ACCOUNT_BYTES,
    SIGNATURE_BYTES,
    TOKEN_BYTES,
    signed_text,
)

_MAX_INT64: Final = (1 << 63) - 1
_SHOWN: Final = 32  # Source: spns/hivemind.hpp, longest name of a service


class PushError(IntEnum):
    """Codes of a refusal. Source: spns/hive/subscription.hpp (SUBSCRIBE); 3 and 5 cannot happen here."""

    BAD_INPUT = 1
    SERVICE_NOT_AVAILABLE = 2
    SERVICE_TIMEOUT = 3
    ERROR = 4
    INTERNAL_ERROR = 5


class EntryRefused(RemoteProtocolError):
    """An entry is refused with another code than `ERROR`. Args: code: which; text: what the answer says."""

    def __init__(self, code: PushError, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Registered(NamedTuple):
    """A device's subscription. Args: enc_key: 32 bytes that its pushes are encrypted with."""

    subscription: Subscription
    enc_key: bytes


class _Signed(NamedTuple):
    authority: Authority
    signed_s: int
    signature: bytes
    service: str


def read_subscription(
    rules: PushRules, suite: Suite, services: Collection[str], part: object, unix_us: int
) -> tuple[Device, Registered]:
    """Read and check an entry that subscribes.

    Args:
        services: those whose notifiers run.
        part: parsed JSON of any kind.
        unix_us: the server's clock.

    Raises:
        EntryRefused: a service that does not run, or no token.
        RemoteProtocolError: anything else that is missing, malformed, too old or not signed. The server has
            a code for missing parameters and does not give it.
    """
    fields = _object(part)
    signed = _signed(fields, services)
    enc_key = _raw(fields, "enc_key", KEY_BYTES)
    namespaces, want_data = _namespaces(fields.get("namespaces")), fields.get("data")
    if type(want_data) is not bool:
        raise RemoteProtocolError("data is missing or not true or false")
    age_us = unix_us - signed.signed_s * US_PER_S
    if signed.signed_s == 0 or age_us >= rules.signature_life_us:
        raise RemoteProtocolError("Subscription: sig_ts timestamp is too old")
    if -age_us >= rules.signature_early_us:
        raise RemoteProtocolError("Subscription: sig_ts timestamp is too far in the future")
    owner = signed.authority
    text = signed_text(owner.account, signed.signed_s, want_data, namespaces)
    check_signature(suite, owner, text, signed.signature)
    subscription = Subscription(owner, namespaces, want_data, signed.signed_s, signed.signature)
    return _device(fields, signed.service), Registered(subscription, enc_key)


def read_unsubscription(
    rules: PushRules, suite: Suite, services: Collection[str], part: object, unix_us: int
) -> tuple[bytes, Device]:
    """Read and check an entry that unsubscribes; arguments and errors as of `read_subscription`.

    Returns:
        The account and the device.
    """
    fields = _object(part)
    signed = _signed(fields, services)
    device = _device(fields, signed.service)
    if abs(unix_us - signed.signed_s * US_PER_S) > rules.unsubscribe_window_us:
        raise RemoteProtocolError("Invalid signature: sig_ts is too far from current time")
    account = signed.authority.account
    text = unsubscribe_text(account, signed.signed_s)
    check_signature(suite, signed.authority, text, signed.signature)
    return account, device


def _object(part: object) -> dict[str, Any]:
    if type(part) is not dict:
        raise RemoteProtocolError("an entry is an object")
    return part


def _signed(fields: dict[str, Any], services: Collection[str]) -> _Signed:
    account = _raw(fields, "pubkey", ACCOUNT_BYTES)
    ed25519 = _raw(fields, "session_ed25519", 32) if account[0] == 5 else b""
    token = token_signature = b""
    if "subaccount" in fields:
        token = _raw(fields, "subaccount", TOKEN_BYTES)
        token_signature = _raw(fields, "subaccount_sig", SIGNATURE_BYTES)
    authority = Authority(account, ed25519, token, token_signature)
    check_account(authority)
    signed_s, service = fields.get("sig_ts"), fields.get("service")
    if type(signed_s) is not int or abs(signed_s) > _MAX_INT64:
        raise RemoteProtocolError("sig_ts is missing or no integer")
    if type(service) is not str or "service_info" not in fields:
        raise RemoteProtocolError("service or service_info is missing")
    signed = _Signed(authority, signed_s, _raw(fields, "signature", SIGNATURE_BYTES), service)
    if service not in services:
        text = f"{service[:_SHOWN]} notification service not currently available"
        raise EntryRefused(PushError.SERVICE_NOT_AVAILABLE, text)
    return signed


def _device(fields: dict[str, Any], service: str) -> Device:
    info = fields["service_info"]
    if type(info) is not dict or "token" not in info:
        raise EntryRefused(PushError.BAD_INPUT, "Error: missing required key 'token'")
    return Device(service, check_token(service, info["token"]))


def _raw(fields: dict[str, Any], name: str, size: int) -> bytes:
    text = fields.get(name)
    if type(text) is not str:
        raise RemoteProtocolError(f"{name} is missing or no text")
    try:
        if len(text) == 2 * size:
            raw = bytes.fromhex(text)
        else:
            bare = text.rstrip("=")
            raw = binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except ValueError:
        raw = b""
    if len(raw) != size:
        raise RemoteProtocolError(f"{name} is not {size} bytes in hex or base64")
    return raw


def _namespaces(value: object) -> tuple[int, ...]:
    if type(value) is not list or not value:
        raise RemoteProtocolError("Subscription: namespaces missing or empty")
    if not all(type(one) is int and MIN_NAMESPACE <= one <= MAX_NAMESPACE for one in value):
        raise RemoteProtocolError("Subscription: a namespace is a 16-bit integer")
    if any(left >= right for left, right in pairwise(value)):
        raise RemoteProtocolError(
            "Subscription: namespaces are not sorted numerically, or contain duplicates"
        )
    return tuple(value)
