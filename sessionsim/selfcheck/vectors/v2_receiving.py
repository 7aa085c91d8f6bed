"""The section about receiving direct messages of V2: what opens, and every way to be refused."""

from __future__ import annotations

from typing import Final

from sessionsim.protocol.crypto import aead, real, suite_named
from sessionsim.protocol.identity import Account, account_id_of_ed25519
from sessionsim.protocol.v2 import indicator
from sessionsim.protocol.v2.inner import signed_hash
from sessionsim.protocol.v2.keys import HybridKeys, account_keys
from sessionsim.protocol.v2.message import (
    CIPHERTEXT_AT,
    E_AT,
    FALLBACK_RANDOM_BYTES,
    LEAST_BYTES,
    MARKER,
    RANDOM_BYTES,
    SEALED_AT,
    padded_bytes,
    seal,
    seal_fallback,
)
from sessionsim.protocol.v2.receiving import (
    V1,
    BadFormat,
    NoKeyFits,
    UnknownVersion,
    candidates,
    indicator_of,
    open_message,
    version_of,
)
from sessionsim.protocol.wire import bencode, signed_dict
from sessionsim.protocol.wire.signed_dict import SIGNATURE
from sessionsim.selfcheck.vectors import _coins
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, plain, section, typed, unhex
from sessionsim.selfcheck.vectors.identity import account_of, new_account
from sessionsim.selfcheck.vectors.v2_messages import LENGTHS, pfs_facts

_SUITE: Final = suite_named("sodium", memo=False)


def _received(recipient: Account, held: list[HybridKeys], stored: bytes) -> Made:
    """Say what becomes of a stored message, as the section's expected values."""
    facts: Made = {}
    try:
        if version_of(stored) == V1:
            return {"result": "version_1"}
        two = indicator_of(_SUITE, recipient, stored)
        facts = {"indicator": two, "candidates": candidates(two, held)}
        opened = open_message(_SUITE, recipient, held, stored)
    except UnknownVersion:
        return {"result": "unknown_version"}
    except BadFormat:
        return facts | {"result": "bad_format"}
    except NoKeyFits:
        return facts | {"result": "no_pfs_key"}
    facts |= {"result": "received", "pfs": opened.key is not None, "content": opened.inner.content}
    if opened.key is not None:
        facts["account_seed_index"] = opened.key
    return facts | {
        "sender_ed25519": opened.inner.sender,
        "sender_session_id": account_id_of_ed25519(opened.inner.sender),
        "pro_signature": opened.inner.pro_signature,
    }


def _signed_inner(
    signer: Account, recipient_id: bytes, fields: dict[bytes, bencode.Value], after: bytes = b""
) -> bytes:
    raw = bencode.encode(fields)
    signed = signed_dict.append(
        raw, SIGNATURE, lambda part: real.ed25519_sign(signer.ed, signed_hash(part, recipient_id))
    )
    return signed[:-1] + after + b"e"


def _odd_inner(draw: Draw, what: str, sender: Account, recipient: Account) -> bytes | None:
    """Compose the inner dict of a case that no sender would write; None if it is not about the inside."""
    fields: dict[bytes, bencode.Value] = {b"S": sender.ed.public, b"c": draw.raw(draw.between(0, 40))}
    if what == "signature made for another recipient":
        return _signed_inner(sender, new_account(draw).id, fields)
    if what == "signed by another key":
        return _signed_inner(new_account(draw), recipient.id, fields)
    if what == "sender key missing":
        return _signed_inner(sender, recipient.id, {b"c": fields[b"c"]})
    if what == "unknown signed key between content and signature":
        return _signed_inner(sender, recipient.id, fields | {b"d": draw.raw(5)})
    if what == "unknown key after the signature":
        return _signed_inner(sender, recipient.id, fields, b"2:~Zi1e")
    if what == "Pro signature not checked at this layer":
        return _signed_inner(sender, recipient.id, fields, b"2:~P64:" + draw.raw(64))
    if what == "Pro signature of 63 bytes":
        return _signed_inner(sender, recipient.id, fields, b"2:~P63:" + draw.raw(63))
    if what in ("size not a multiple of 256", "a non-zero byte after the dict"):
        return _signed_inner(sender, recipient.id, fields)
    return None


_INSIDE: Final = (
    "signature made for another recipient",
    "signed by another key",
    "sender key missing",
    "unknown signed key between content and signature",
    "unknown key after the signature",
    "Pro signature not checked at this layer",
    "Pro signature of 63 bytes",
    "size not a multiple of 256",
    "a non-zero byte after the dict",
)
_OUTSIDE: Final = {
    "indicator changed": 2,
    "ephemeral key changed": E_AT,
    "ML-KEM ciphertext changed": CIPHERTEXT_AT,
    "encrypted part changed": SEALED_AT,
    "tag changed": -1,
}
_WHOLE: Final = (
    "normal",
    "Pro signature",
    "non-PFS",
    "non-PFS, no account seed held",
    "non-PFS whose indicator points at a held key",
    "key no longer held",
    "another recipient",
    "one byte short of the minimum",
    "another version",
    "first byte not zero",
)


def _with_inner(what: str, recipient: Account, keys: HybridKeys, stored: bytes, inner: bytes) -> bytes:
    found = pfs_facts(recipient, keys, stored)
    padded = inner.ljust(padded_bytes(len(inner)), b"\0")
    if what == "size not a multiple of 256":
        padded += b"\0"
    if what == "a non-zero byte after the dict":
        padded = padded[:-1] + b"\x01"
    return stored[:SEALED_AT] + aead.seal(padded, found["nonce"], found["key"])


def _receive(draw: Draw) -> Made:
    recipient, sender = new_account(draw), new_account(draw)
    seeds = [draw.raw(32) for _ in range(draw.between(2, 4))]
    held = [account_keys(_SUITE, seed) for seed in seeds]
    what = draw.choice((*_WHOLE, *_OUTSIDE, *_INSIDE))
    content, used = draw.raw(draw.choice(LENGTHS)), draw.between(0, len(held) - 1)
    pro = real.ed25519_keypair(draw.raw(32)) if what == "Pro signature" else None
    if what.startswith("non-PFS"):
        random = draw.raw(FALLBACK_RANDOM_BYTES)
        stored = seal_fallback(_SUITE, sender.ed, recipient.id, content, random)
    else:
        suite = _coins.CoinsSuite()
        random = draw.raw(RANDOM_BYTES)
        stored = seal(suite, sender.ed, recipient.id, held[used].public, content, random, pro)
    inner = _odd_inner(draw, what, sender, recipient)
    if inner is not None:
        stored = _with_inner(what, recipient, held[used], stored, inner)
    if what in _OUTSIDE:
        place = _OUTSIDE[what] % len(stored)
        stored = stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :]
    if what == "non-PFS whose indicator points at a held key":
        two = indicator.masked(indicator_of(_SUITE, recipient, stored), held[used].kem.public)
        stored = stored[:2] + indicator.masked(stored[2:E_AT], two) + stored[E_AT:]
    if what in ("key no longer held", "non-PFS, no account seed held"):
        seeds = [seed for place, seed in enumerate(seeds) if what == "key no longer held" and place != used]
    if what == "another recipient":
        recipient = new_account(draw)
    stored = {
        "one byte short of the minimum": stored[: LEAST_BYTES - 1],
        "another version": MARKER[:1] + bytes([draw.choice((0, 1, 3, 255))]) + stored[2:],
        "first byte not zero": bytes([draw.between(1, 255)]) + stored[1:],
    }.get(what, stored)
    given = {"recipient_root_seed": recipient.ed.secret, "account_seeds": seeds, "message": stored}
    held = [account_keys(_SUITE, seed) for seed in seeds]
    return {
        "input": plain(given | {"origin": "sessionsim", "what": what}),
        "expected": plain(_received(recipient, held, stored)),
    }


@section(
    "v2_message_receive",
    covers=[
        "protocol.v2.receiving.open_message",
        "protocol.v2.receiving.version_of",
        "protocol.v2.inner.read_inner",
    ],
    direction="decrypt / reject",
    make=_receive,
)
def v2_message_receive(case: Case) -> None:
    """What becomes of one stored message: version, candidates among the held keys, fallback, refusal."""
    seeds = typed(case.value("account_seeds"), list, "input 'account_seeds'")
    held = [account_keys(_SUITE, unhex(seed, "an account seed")) for seed in seeds]
    facts = _received(account_of(case.raw("recipient_root_seed")), held, case.raw("message"))
    for name, fact in facts.items():
        case.same(name, fact)
