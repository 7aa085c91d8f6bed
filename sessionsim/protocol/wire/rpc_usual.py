"""Polls in the shapes the client families write, read without a JSON parser.

A poll is the commonest request there is: one batch of signed retrieves of one account, all of one moment. Its
parts follow the templates of `rpc.BODY_STYLES`, so the pattern of each family's poll is made from its
template. Whatever does not fit to the byte is left to `rpc_params`, with equal results (property-tested).
"""

from __future__ import annotations

import binascii
import re
from typing import Final, NamedTuple

from sessionsim.protocol.namespaces import MAX_NAMESPACE, MIN_NAMESPACE
from sessionsim.protocol.wire.rpc import BODY_STYLES, BodyStyle
from sessionsim.protocol.wire.rpc_node import PollCall

_ACCOUNT_PREFIX: Final = 5  # ids made from an X25519 key. Source: transport 1.2
_MOST_PARTS: Final = 8  # Assumption: no client polls more namespaces at once; longer ones are read generally
# What may stand in each place of a template. Text that is decoded afterwards is checked there; numbers are as
# JSON writes them, and short enough to be in range (a time has 13 digits from 2001 to 2286).
_PLACES: Final = {
    b"namespace": rb"(-?(?:0|[1-9]\d{0,4}))",
    b"namespace_field": rb'(?:,"namespace":(-?(?:0|[1-9]\d{0,4})))?',
    b"pubkey": rb"(?P<pubkey>.{66})",
    b"ed25519": rb"(?P<ed25519>.{64})",
    b"signature": rb"(.{86}==)",
    b"timestamp": rb"(?P<timestamp>[1-9]\d{12})",
    b"last_hash": rb"([A-Za-z0-9+/]{43}|)",
    b"max_size": rb"(-?(?:0|[1-9]\d{0,8}))",
}
_SHARED: Final = (b"pubkey", b"ed25519", b"timestamp")  # the same in all parts
_PLACE: Final = re.compile(rb"%\((\w+)\)[db]")


class _Family(NamedTuple):
    """How to read a family's polls.

    Args:
        head: what they begin with.
        pattern: of a whole poll.
        shared: groups of account, Ed25519 key and time.
        parts: of each part the groups of namespace, last hash, largest size and signature.
    """

    head: bytes
    pattern: re.Pattern[bytes]
    shared: tuple[int, int, int]
    parts: tuple[tuple[int, int, int, int], ...]


def _family(style: BodyStyle) -> _Family:
    template = _PLACE.split(b'{"method":"retrieve","params":' + style.retrieve + b"}")
    names = template[1::2]
    first = b"".join(_PLACES[t] if k % 2 else re.escape(t) for k, t in enumerate(template))
    other = re.sub(rb"\(\?P<(\w+)>[^)]*\)", rb"(?P=\1)", first)
    rest = b""
    for _ in range(_MOST_PARTS - 1):
        rest = b"(?:," + other + rest + b")?"
    head = style.envelope + b'"method":"batch","params":{"requests":['
    pattern = re.compile(re.escape(head) + first + rest + re.escape(b"]}}"), re.DOTALL)
    # Groups are numbered from the left: all places of the first part, then what is not shared of the others.
    own = [b"namespace" if name == b"namespace_field" else name for name in names]
    several = [name for name in own if name not in _SHARED]
    wanted = (b"namespace", b"last_hash", b"max_size", b"signature")
    parts = [tuple(own.index(name) for name in wanted)]
    for k in range(_MOST_PARTS - 1):
        parts.append(tuple(len(own) + k * len(several) + several.index(name) for name in wanted))
    return _Family(head, pattern, tuple(own.index(name) for name in _SHARED), tuple(parts))  # type: ignore[arg-type]


_FAMILIES: Final = tuple(_family(style) for style in BODY_STYLES.values())


def usual_poll(body: bytes) -> PollCall | None:
    """Read a poll; None for anything else, right or wrong."""
    for family in _FAMILIES:
        if body.startswith(family.head):
            found = family.pattern.fullmatch(body)
            if found is not None:
                return _poll(found.groups(), family)
    return None


def _poll(groups: tuple[bytes | None, ...], family: _Family) -> PollCall | None:
    at_account, at_ed25519, at_time = family.shared
    unbase64 = binascii.a2b_base64
    parts = []
    try:
        account, ed25519 = binascii.a2b_hex(groups[at_account]), binascii.a2b_hex(groups[at_ed25519])  # type: ignore[arg-type]
        if account[0] != _ACCOUNT_PREFIX:
            return None
        for at_namespace, at_hash, at_size, at_signature in family.parts:
            text = groups[at_signature]
            if text is None:
                break
            signature, namespace = unbase64(text, strict_mode=True), int(groups[at_namespace] or 0)
            if not MIN_NAMESPACE <= namespace <= MAX_NAMESPACE:
                return None
            parts.append((namespace, groups[at_hash].decode(), int(groups[at_size]), signature))  # type: ignore[union-attr, arg-type]
    except ValueError:
        return None
    return PollCall(account, ed25519, int(groups[at_time]), tuple(parts))  # type: ignore[arg-type]
