"""Sections about making direct messages of V2, with and without forward secrecy, and their sizes."""

from __future__ import annotations

from typing import Final

from sessionsim.protocol.crypto import KeyPair, aead, real, suite_named
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2 import combiner, indicator
from sessionsim.protocol.v2.inner import signed_hash, write_inner
from sessionsim.protocol.v2.keys import HybridKeys, account_keys
from sessionsim.protocol.v2.message import (
    CIPHERTEXT_AT,
    E_AT,
    FALLBACK_RANDOM_BYTES,
    RANDOM_BYTES,
    SEALED_AT,
    message_bytes,
    padded_bytes,
    seal,
    seal_fallback,
)
from sessionsim.protocol.v2.receiving import open_message
from sessionsim.protocol.wire import signed_dict
from sessionsim.protocol.wire.signed_dict import SIGNATURE
from sessionsim.selfcheck.vectors import _coins
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, Mismatch, plain, section, unhex
from sessionsim.selfcheck.vectors.identity import account_of, new_account

_SUITE: Final = suite_named("sodium", memo=False)
# Bytes of content, many of them beside a step of the size.
LENGTHS: Final = (0, 1, 9, 10, 99, 100, 160, 208, 209, 278, 279, 280, 464, 535, 536, 1000)


def _pro(case: Case) -> KeyPair | None:
    return real.ed25519_keypair(case.raw("pro_seed")) if case.value("pro_seed", None) is not None else None


def _inner_facts(recipient: Account, stored: bytes, key: combiner.MessageKey) -> Made:
    """Open a message with its key, and give what stands between key and content."""
    padded = aead.unseal(stored[SEALED_AT:], key.nonce, key.key)
    inner = padded.rstrip(b"\0")
    part = signed_dict.signed_part(inner, signed_dict.read(inner), SIGNATURE)
    return {
        "combined": key.combined,
        "key": key.key,
        "nonce": key.nonce,
        "signed_hash": signed_hash(part, recipient.id),
        "inner": inner,
        "padded_inner_size": padded_bytes(len(inner)),
    }


def pfs_facts(recipient: Account, held: HybridKeys, stored: bytes) -> Made:
    """Give every value between the secrets of a message and its inner dict, as the receiver finds them."""
    ephemeral = stored[E_AT:CIPHERTEXT_AT]
    account_shared = _SUITE.agree(recipient.x, ephemeral)
    person = indicator.MESSAGE_PERSON
    kem_shared = _SUITE.kem_decapsulate(held.kem, stored[CIPHERTEXT_AT:SEALED_AT])
    x_shared = _SUITE.agree(held.x, ephemeral)
    key = combiner.pfs_key(kem_shared, x_shared, ephemeral, held.x.public)
    return {
        "indicator_dh": account_shared,
        "indicator_mask": indicator.mask(account_shared, ephemeral, recipient.x.public, person),
        "mlkem_shared": kem_shared,
        "x25519_shared": x_shared,
        **_inner_facts(recipient, stored, key),
    }


def _fallback_facts(recipient: Account, stored: bytes) -> Made:
    ephemeral = stored[E_AT:CIPHERTEXT_AT]
    shared = _SUITE.agree(recipient.x, ephemeral)
    key = combiner.fallback_key(shared, recipient.x.public, ephemeral)
    return {"x25519_shared": shared, **_inner_facts(recipient, stored, key)}


def _opens(case: Case, recipient: Account, held: list[HybridKeys], stored: bytes, sender: Account) -> None:
    inner = open_message(_SUITE, recipient, held, stored).inner
    if (inner.sender, inner.content) != (sender.ed.public, case.raw("content")):
        raise Mismatch("the message opens to something else")
    if (inner.pro_signature is None) is not (_pro(case) is None):
        raise Mismatch("the Pro signature is not what was asked for")


def _message(draw: Draw) -> Made:
    recipient, sender, seed = new_account(draw), new_account(draw), draw.raw(32)
    held, content = account_keys(_SUITE, seed), draw.raw(draw.choice(LENGTHS))
    pro_seed, random = draw.choice((None, draw.raw(32))), draw.raw(RANDOM_BYTES)
    pro = None if pro_seed is None else real.ed25519_keypair(pro_seed)
    stored = seal(_coins.CoinsSuite(), sender.ed, recipient.id, held.public, content, random, pro)
    return {
        "input": plain(
            {
                "recipient_root_seed": recipient.ed.secret,
                "recipient_account_seed": seed,
                "sender_seed": sender.ed.secret,
                "recipient_session_id": recipient.id,
                "recipient_X": held.x.public,
                "recipient_M": held.kem.public,
                "content": content,
                "pro_seed": pro_seed,
            }
        ),
        "expected": plain(
            {"message": stored, "size": len(stored), "intermediate": pfs_facts(recipient, held, stored)}
        ),
        "randomness": plain({"e": random[:32], "mlkem_coins": random[32:]}),
    }


@section(
    "v2_message",
    covers=["protocol.v2.message.seal", "protocol.v2.receiving.open_message", "protocol.v2.combiner.pfs_key"],
    direction="exact with randomness; decrypt always",
    make=_message,
    limit=_coins.limit,
)
def v2_message(case: Case) -> None:
    """A direct message to the recipient's account keys, with every value on the way."""
    recipient, sender = account_of(case.raw("recipient_root_seed")), account_of(case.raw("sender_seed"))
    held = account_keys(_SUITE, case.raw("recipient_account_seed"))
    case.rebuilt("recipient_session_id", recipient.id)
    case.rebuilt("recipient_X", held.x.public)
    case.rebuilt("recipient_M", held.kem.public)
    stored = unhex(case.wants("message"), "expected 'message'")
    if "e" in case.randomness:
        suite = _coins.CoinsSuite({held.kem.public: (held.kem, stored[CIPHERTEXT_AT:SEALED_AT])})
        random = case.drawn("e") + case.drawn("mlkem_coins")
        content = case.raw("content")
        made = seal(suite, sender.ed, recipient.id, held.public, content, random, _pro(case))
        case.same("message", made)
    case.same("size", len(stored))
    case.same("intermediate", pfs_facts(recipient, held, stored))
    _opens(case, recipient, [held], stored, sender)


def _nonpfs(draw: Draw) -> Made:
    recipient, sender = new_account(draw), new_account(draw)
    content, random = draw.raw(draw.choice(LENGTHS)), draw.raw(FALLBACK_RANDOM_BYTES)
    pro_seed = draw.choice((None, draw.raw(32)))
    pro = None if pro_seed is None else real.ed25519_keypair(pro_seed)
    stored = seal_fallback(_SUITE, sender.ed, recipient.id, content, random, pro)
    return {
        "input": plain(
            {
                "recipient_root_seed": recipient.ed.secret,
                "sender_seed": sender.ed.secret,
                "recipient_session_id": recipient.id,
                "content": content,
                "pro_seed": pro_seed,
            }
        ),
        "expected": plain(
            {"message": stored, "size": len(stored), "intermediate": _fallback_facts(recipient, stored)}
        ),
        "randomness": plain({"e": random[:32], "ki": random[32:34], "ct": random[34:]}),
    }


@section(
    "v2_message_nonpfs",
    covers=["protocol.v2.message.seal_fallback", "protocol.v2.combiner.fallback_key"],
    direction="exact with randomness; decrypt always",
    make=_nonpfs,
)
def v2_message_nonpfs(case: Case) -> None:
    """A direct message to the recipient's long-term key, for want of account keys."""
    recipient, sender = account_of(case.raw("recipient_root_seed")), account_of(case.raw("sender_seed"))
    case.rebuilt("recipient_session_id", recipient.id)
    stored = unhex(case.wants("message"), "expected 'message'")
    if "e" in case.randomness:
        random = case.drawn("e") + case.drawn("ki") + case.drawn("ct")
        made = seal_fallback(_SUITE, sender.ed, recipient.id, case.raw("content"), random, _pro(case))
        case.same("message", made)
    case.same("size", len(stored))
    case.same("intermediate", _fallback_facts(recipient, stored))
    _opens(case, recipient, [], stored, sender)


def _size(draw: Draw) -> Made:
    length, pro = draw.choice((*LENGTHS, draw.between(0, 11_000))), draw.flag()
    return {
        "input": {"content_length": length, "pro": pro},
        "expected": {"size": message_bytes(length, pro=pro)},
    }


@section(
    "v2_message_size",
    covers=["protocol.v2.message.message_bytes"],
    direction="exact",
    make=_size,
)
def v2_message_size(case: Case) -> None:
    """Length of a message for a length of content, with and without Pro signature."""
    length, pro = case.integer("content_length"), case.flag("pro")
    case.same("size", message_bytes(length, pro=pro))
    if 0 <= length <= 1 << 20:
        account = account_of(bytes(32))
        inner = write_inner(_SUITE, account.ed, account.id, bytes(length), account.ed if pro else None)
        case.same("size", SEALED_AT + padded_bytes(len(inner)) + aead.TAG_BYTES)
