"""Polls in the shapes the client families write, read without a JSON parser.

A poll is the commonest request there is: one batch of signed retrieves of one account, all of one moment. Its
parts follow the templates of `rpc.BODY_STYLES`, so the pattern of each family is made from its template.
Whatever does not fit to the byte is left to `rpc_params`, with equal results (property-tested).
"""

from __future__ import annotations

import binascii
import re
from typing import Final

from sessionsim.protocol.namespaces import MAX_NAMESPACE, MIN_NAMESPACE
from sessionsim.protocol.wire.rpc import BODY_STYLES, BodyStyle
from sessionsim.protocol.wire.rpc_fields import SIGNATURE_BYTES
from sessionsim.protocol.wire.rpc_node import PollCall

_ACCOUNT_PREFIX: Final = 5  # ids made from an X25519 key. Source: transport 1.2
_HASH: Final = re.compile(rb"[A-Za-z0-9+/]{43}")
# What may stand in each place of a template. Text that is decoded afterwards is checked there; numbers are as
# JSON writes them, and short enough to be in range (a time has 13 digits from 2001 to 2286).
_PLACES: Final = {
    b"namespace": rb"(-?(?:0|[1-9]\d{0,4}))",
    b"namespace_field": rb'(?:,"namespace":(-?(?:0|[1-9]\d{0,4})))?',
    b"pubkey": rb"(.{66})",
    b"ed25519": rb"(.{64})",
    b"signature": rb"(.{88})",
    b"timestamp": rb"([1-9]\d{12})",
    b"last_hash": rb"(.{43}|)",
    b"max_size": rb"(-?(?:0|[1-9]\d{0,8}))",
}
_PLACE: Final = re.compile(rb"%\((\w+)\)[db]")
_END: Final = b"]}}"
_COMMA: Final = ord(",")
# Order of the groups in a call.
_Order = tuple[int, int, int, int, int, int, int]


def _compiled(style: BodyStyle) -> tuple[bytes, re.Pattern[bytes], _Order]:
    """Give what a poll of this family begins with, the pattern of one of its parts, and its groups' order."""
    parts = _PLACE.split(b'{"method":"retrieve","params":' + style.retrieve + b"}")
    text = b"".join(_PLACES[part] if k % 2 else re.escape(part) for k, part in enumerate(parts))
    names = [b"namespace" if name == b"namespace_field" else name for name in parts[1::2]]
    wanted = (b"pubkey", b"ed25519", b"timestamp", b"namespace", b"last_hash", b"max_size", b"signature")
    order = tuple(names.index(name) for name in wanted)
    head = style.envelope + b'"method":"batch","params":{"requests":['
    return head, re.compile(text, re.DOTALL), order  # type: ignore[return-value]


_FAMILIES: Final = tuple(_compiled(style) for style in BODY_STYLES.values())


def usual_poll(body: bytes) -> PollCall | None:
    """Read a poll; None for anything else, right or wrong."""
    if not body.endswith(_END):
        return None
    for head, part, order in _FAMILIES:
        first = part.match(body, len(head)) if body.startswith(head) else None
        if first is not None:
            return _poll(body, part, order, first)
    return None


def _poll(body: bytes, part: re.Pattern[bytes], order: _Order, first: re.Match[bytes]) -> PollCall | None:
    at_account, at_ed25519, at_time, at_namespace, at_hash, at_size, at_signature = order
    groups = first.groups(b"0")
    account_text, ed25519_text, time_text = groups[at_account], groups[at_ed25519], groups[at_time]
    unbase64 = binascii.a2b_base64
    parts = []
    try:
        account, ed25519 = binascii.a2b_hex(account_text), binascii.a2b_hex(ed25519_text)
        if account[0] != _ACCOUNT_PREFIX:
            return None
        end = first.end()
        while True:
            hash_text, namespace = groups[at_hash], int(groups[at_namespace])
            signature = unbase64(groups[at_signature], strict_mode=True)
            if (
                len(signature) != SIGNATURE_BYTES
                or not MIN_NAMESPACE <= namespace <= MAX_NAMESPACE
                or (hash_text and not _HASH.match(hash_text))
            ):
                return None
            parts.append((namespace, hash_text.decode(), int(groups[at_size]), signature))
            if body[end] != _COMMA:
                break
            following = part.match(body, end + 1)
            if following is None:
                return None
            groups, end = following.groups(b"0"), following.end()
            if (
                groups[at_account] != account_text
                or groups[at_ed25519] != ed25519_text
                or groups[at_time] != time_text
            ):
                return None
    except ValueError:
        return None
    if end != len(body) - len(_END):
        return None
    return PollCall(account, ed25519, int(time_text), tuple(parts))
