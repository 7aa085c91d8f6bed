"""Version 2: records of keys, direct messages outside and inside, keys that others publish."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import Suite, aead, fast_kem, mlkem
from sessionsim.protocol.v2 import (
    account_record,
    combiner,
    indicator,
    inner,
    marked_fallback,
    message,
    receiving,
)
from sessionsim.protocol.v2.keys import PublicKeys, account_keys
from sessionsim.protocol.versions import v2
from sessionsim.protocol.wire import signed_dict
from tests.fuzz.decoder import Decoder, whole
from tests.fuzz.table._contents import CONTENTS
from tests.fuzz.table._keys import FAST, FRIEND, NOW_MS, OWN, SODIUM, SUITES, noise

KEM_SEED = noise("kem", 64)
_HELD = {name: [account_keys(suite, bytes([k]) * 32) for k in range(3)] for name, suite in SUITES.items()}
# Everything but the inner dict is the same in each message.
_RANDOM = noise("message", message.FALLBACK_RANDOM_BYTES)
_PRO = FRIEND.ed
_RECORD = account_record.write_record(OWN, _HELD["sodium"][1].public, None)
_DRAWN = account_record.write_record(OWN, _HELD["fast"][1].public, noise("record", 64))
_TEXTS = (v2.encode_text("hello", NOW_MS), v2.encode_text("", NOW_MS))
_INNER = tuple(
    inner.write_inner(SODIUM, FRIEND.ed, OWN.id, content, pro)
    for content, pro in ((_TEXTS[0], None), (b"", None), (_TEXTS[0] * 20, _PRO))
)


def signed_anew(raw: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Sign a dict of any content, cut before its signature."""
    at = raw.find(b"1:~64:")
    body = raw[:at] if at >= 0 else raw[:-1]
    return b"%b1:~64:%be" % (body, sign(body))


def _record_signed(raw: bytes) -> object:
    made = signed_anew(raw, lambda body: account_record._sign(OWN, body, None))
    return account_record.read_record(OWN.id, made)


def _record_of_others(raw: bytes) -> object:
    return account_record.read_record(raw, _RECORD)


def _read_inner(raw: bytes) -> object:
    """Read the dict, and compare the short way with the general one."""
    short = inner._usual(raw)
    if short is not None and short != inner._any(raw):
        raise AssertionError("read otherwise by the general parser")
    return inner.read_inner(SODIUM, OWN.id, raw)


def _inner_signed(raw: bytes) -> object:
    """Let a friend sign any dict for us."""
    return _read_inner(
        signed_anew(raw, lambda body: SODIUM.sign_stored(FRIEND.ed, inner.signed_hash(body, OWN.id)))
    )


def _stored(name: str) -> tuple[bytes, ...]:
    """Give messages whose bytes are the same in each process: those of the stand-in, and without keys."""
    suite, made = SUITES[name], []
    if name == "fast":
        made.append(v2.seal_direct(suite, FRIEND, OWN.id, _HELD[name][1].public, _TEXTS[0], _RANDOM, _PRO))
    made.append(v2.seal_direct(suite, FRIEND, OWN.id, None, _TEXTS[0], _RANDOM))
    return tuple(made)


def _sealed(suite: Suite, padded: bytes, fallback: bool) -> bytes:
    """Encrypt anything to us as a message, under our second account key or the long-term one."""
    ephemeral, account_x, keys = suite.ephemeral(noise("ephemeral", 32)), OWN.x.public, _HELD[suite.name][1]
    long_term = suite.agree(ephemeral, account_x)
    if fallback:
        return message._whole(
            b"\0\0",
            ephemeral.public,
            bytes(1088),
            padded,
            combiner.fallback_key(long_term, account_x, ephemeral.public),
        )
    kem_shared, ciphertext = suite.kem_encapsulate(keys.kem.public, noise("coins", 32))
    shared = suite.agree(ephemeral, keys.x.public)
    hidden_by = indicator.mask(long_term, ephemeral.public, account_x, indicator.MESSAGE_PERSON)
    return message._whole(
        indicator.masked(keys.kem.public, hidden_by),
        ephemeral.public,
        ciphertext,
        padded,
        combiner.pfs_key(kem_shared, shared, ephemeral.public, keys.x.public),
    )


def _inside(name: str, fallback: bool) -> Callable[[bytes], object]:
    suite = SUITES[name]
    return lambda raw: receiving.open_message(suite, OWN, _HELD[name], _sealed(suite, raw, fallback))


def _content_inside(content: bytes) -> object:
    """Let a friend sign any content for us."""
    signed = inner.write_inner(FAST, FRIEND.ed, OWN.id, content)
    return v2.open_direct(FAST, OWN, _HELD["fast"], _sealed(FAST, signed, False))


def _opened(name: str) -> Callable[[bytes], object]:
    return lambda raw: v2.open_direct(SUITES[name], OWN, _HELD[name], raw)


def _sent(sent: v2.DirectMessage) -> object:
    return sent.sender_id, sent.sent_ms, sent.body


def _to_keys(suite: Suite) -> Callable[[bytes], object]:
    """Write to keys that somebody has published, and to an id that somebody has told."""

    def run(raw: bytes) -> object:
        known = PublicKeys(raw[:1184], raw[1184:1216])
        return v2.seal_direct(suite, FRIEND, raw[1216:] or OWN.id, known, _TEXTS[0], _RANDOM)

    return run


def _without_keys(raw: bytes) -> object:
    return v2.seal_direct(FAST, FRIEND, raw, None, _TEXTS[0], _RANDOM)


def _marked(recipient_id: bytes) -> bytes:
    return marked_fallback.seal_marked(FAST, FRIEND.ed, recipient_id, _TEXTS[0], noise("ephemeral", 32))


_MARKED = (_marked(OWN.id),)


def _open_marked(raw: bytes) -> object:
    return marked_fallback.open_marked(FAST, OWN, raw)


def _of_marked(opened: receiving.Opened) -> object:
    return opened.inner.sender, opened.inner.content


def _marked_inside(padded: bytes) -> object:
    """Encrypt anything to our long-term key, and say so."""
    ephemeral, account_x = FAST.ephemeral(noise("ephemeral", 32)), OWN.x.public
    key = combiner.fallback_key(FAST.agree(ephemeral, account_x), account_x, ephemeral.public)
    sealed = aead.seal(padded.ljust(256, b"\0"), key.nonce, key.key)
    return marked_fallback.open_marked(FAST, OWN, marked_fallback.MARKER + ephemeral.public + sealed)


def _field(raw: bytes) -> object:
    return signed_dict.field(signed_dict.read(raw), signed_dict.SIGNATURE, 64)


_KEM = {"mlkem": mlkem.public_of(KEM_SEED), "fast_kem": fast_kem.public_of(KEM_SEED)}
_FAST_SEED = fast_kem.encapsulate(_KEM["fast_kem"], noise("coins", 32))[1]
_LEGAL = (CannotOpen, LocalProtocolError)
_KEYS_OF_OTHERS = tuple(
    keys.public.kem + keys.public.x + end
    for keys in (_HELD["sodium"][0], _HELD["fast"][0])
    for end in (b"", FRIEND.id)
)


def _encapsulate(name: str) -> Callable[[bytes], object]:
    def run(raw: bytes) -> Any:
        return mlkem.encapsulate(raw) if name == "mlkem" else fast_kem.encapsulate(raw, noise("coins", 32))

    return run


DECODERS = (
    Decoder("wire.signed_dict.read", "bencode", signed_dict.read, (_RECORD, *_INNER)),
    Decoder("wire.signed_dict.field", "bencode", _field, (_RECORD, *_INNER), share=2),
    Decoder(
        "v2.account_record.read_record",
        "bencode",
        lambda raw: account_record.read_record(OWN.id, raw),
        (_RECORD, _DRAWN),
        share=2,
        genuine=whole,
    ),
    Decoder("v2.account_record.read_record/signed", "bencode", _record_signed, (_RECORD, _DRAWN), share=1),
    Decoder(
        "v2.account_record.read_record/id",
        "raw",
        _record_of_others,
        (OWN.id,),
        share=1,
        genuine=whole,
    ),
    Decoder("v2.inner.read_inner", "bencode", _read_inner, _INNER, share=2, genuine=lambda found: found[:2]),
    Decoder("v2.inner.read_inner/signed", "bencode", _inner_signed, _INNER, share=2),
    *(
        Decoder(f"v2.receiving.open_message/{name}", "bencode", _inside(*how), _INNER, share=1)
        for name, how in {
            "inside": ("fast", False),
            "inside of the real": ("sodium", False),
            "inside without keys": ("sodium", True),
        }.items()
    ),
    *(
        Decoder(
            f"versions.v2.open_direct/{name}",
            "raw",
            _opened(name),
            _stored(name),
            share=2,
            genuine=_sent,
        )
        for name in SUITES
    ),
    Decoder(
        "versions.v2.open_direct/content", "protobuf", _content_inside, (*_TEXTS, *CONTENTS[:1]), share=2
    ),
    *(
        Decoder(
            f"versions.v2.seal_direct/{name}",
            "raw",
            _to_keys(suite),
            _KEYS_OF_OTHERS,
            errors=_LEGAL,
            share=1,
        )
        for name, suite in SUITES.items()
    ),
    Decoder("v2.marked_fallback.open_marked", "raw", _open_marked, _MARKED, share=2, genuine=_of_marked),
    Decoder("v2.marked_fallback.open_marked/inside", "bencode", _marked_inside, _INNER, share=1),
    Decoder("v2.marked_fallback.seal_marked", "raw", _marked, (OWN.id,), errors=_LEGAL, share=1),
    Decoder("versions.v2.seal_direct/without keys", "raw", _without_keys, (OWN.id,), errors=_LEGAL, share=1),
    *(
        Decoder(
            f"crypto.{name}.encapsulate",
            "raw",
            _encapsulate(name),
            (public,),
            errors=(CannotOpen,),
            share=1,
        )
        for name, public in _KEM.items()
    ),
    Decoder(
        "crypto.mlkem.decapsulate",
        "raw",
        lambda raw: mlkem.decapsulate(KEM_SEED, raw),
        (_FAST_SEED,),
        errors=(CannotOpen,),
        share=1,
    ),
    Decoder(
        "crypto.fast_kem.decapsulate",
        "raw",
        lambda raw: fast_kem.decapsulate(_KEM["fast_kem"], raw),
        (_FAST_SEED,),
        errors=(CannotOpen,),
        share=1,
    ),
)
