"""Ciphertexts, signatures and public keys from others; a memo of layers, multi-recipient boxes."""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol import blinded_message, blinding, identity
from sessionsim.protocol.contents import Message, Typing
from sessionsim.protocol.crypto import (
    Suite,
    aead,
    cbc,
    curve,
    gcm,
    real,
    secretstream,
    suite_named,
    xed25519,
)
from sessionsim.protocol.crypto.layer import GcmLayer
from sessionsim.protocol.direct import seal_message
from sessionsim.protocol.groups import add_members, kick_message, remove_members, write_invite
from sessionsim.protocol.groups.identity import group_x25519
from sessionsim.protocol.groups.subaccount import subaccount_token
from sessionsim.protocol.versions.v1 import seal_direct
from tests.fuzz.decoder import Decoder, whole
from tests.fuzz.table._keys import (
    FAST,
    FRIEND,
    GROUP,
    NOW_MS,
    OWN,
    SERVER_X,
    SODIUM,
    SUITES,
    noise,
    ring,
)

_KEY, _NONCE = noise("key", 32), noise("nonce", 24)
_TEXT = b"what was signed"
_STREAM = secretstream.StreamWriter(_NONCE, _KEY)
_CHUNK = _STREAM.push(b"first", final=False)
_ID_15, _ID_25 = blinding.blind15_ids(FRIEND.id, SERVER_X)[0], blinding.blind25_id(FRIEND.id, SERVER_X)


def _verified(
    verify: Callable[[bytes, bytes, bytes], bool], public: bytes, true: bytes
) -> Callable[[bytes], object]:
    """Take a signature from outside; nothing but the true one may pass."""

    def run(signature: bytes) -> bool:
        passed = verify(public, _TEXT, signature)
        if passed and signature != true:
            raise AssertionError("a second signature passes")
        return passed

    return run


def _under_other_keys(
    verify: Callable[[bytes, bytes, bytes], bool], true: bytes, publics: tuple[bytes, ...]
) -> Callable[[bytes], object]:
    """Take a public key from outside; a signature must not pass under any but its own."""

    def run(public: bytes) -> bool:
        passed = verify(public, _TEXT, true)
        if passed and public not in publics:
            raise AssertionError("a signature passes under another key")
        return passed

    return run


def _point(raw: bytes) -> object:
    """Use bytes in every way a public key of another person is used."""
    outcomes: list[object] = [
        curve.is_point(raw),
        blinding.blinded_id_matches(b"\x05" + raw, _ID_15, SERVER_X),
    ]
    ways: tuple[Callable[[], object], ...] = (
        lambda: curve.times(_KEY[:31] + b"\x0f", raw),
        lambda: real.x25519_public_of_ed25519(raw),
        lambda: xed25519.ed25519_of_x25519(raw),
        lambda: identity.account_id_of_ed25519(raw),
        lambda: blinding.blind15_ids(b"\x05" + raw, SERVER_X),
        lambda: blinding.blind25_id(b"\x05" + raw, SERVER_X),
        lambda: blinding.blind15_id_of_ed25519(raw, SERVER_X),
        lambda: blinding.blind25_id_of_ed25519(raw, SERVER_X),
    )
    refused = 0
    for way in ways:
        try:
            outcomes.append(way())
        except CannotOpen:
            refused += 1
    if refused == len(ways):
        raise CannotOpen("not a key in any way")
    return outcomes


def _recipient(suite: Suite) -> Callable[[bytes], object]:
    """Send to an id that somebody gave; what could be sealed is of the one length."""

    def run(raw: bytes) -> object:
        stored = seal_direct(suite, OWN, raw, b"content", NOW_MS, noise("random", 96))
        suite.agree(OWN.x, raw[1:])
        suite.layer_from(GcmLayer, OWN.x, raw[1:])
        subaccount_token(GROUP, raw)
        return stored

    return run


def _members(raw: bytes) -> object:
    """Take an id for that of a member, a person or a blinded person, and write to it in every way."""
    message = Message(NOW_MS, Typing(True, NOW_MS))
    ids = [OWN.id, raw]
    ways: tuple[Callable[[], object], ...] = (
        lambda: seal_message(FAST, OWN, raw, message, noise("random", 96)),
        lambda: kick_message(FAST, GROUP, ids, 1, _NONCE),
        lambda: write_invite(FAST, GROUP, "club", raw, NOW_MS),
        lambda: remove_members(FAST, GROUP, ring(), [raw], [OWN.id], _NONCE),
        lambda: add_members(FAST, GROUP, ring(), [raw], ids, with_history=True),
        lambda: blinded_message.seal(OWN, SERVER_X, raw, b"text", _NONCE),
    )
    written, refusal = [], None
    for way in ways:
        try:
            written.append(way())
        except (CannotOpen, LocalProtocolError) as refused:
            refusal = refused
    if refusal is not None and not written:
        raise refusal
    return written


def _memo(raw: bytes) -> object:
    """Find a layer by an ephemeral key from outside: it opens what it opens without memo, nothing else."""
    suite = suite_named("sodium")
    public, layer = suite.layer_to(GcmLayer, noise("ephemeral", 32), OWN.x.public)
    sealed = layer.seal(b"text", _NONCE)
    return suite.layer_from(GcmLayer, OWN.x, raw).open(sealed), suite.layer_from(
        GcmLayer, OWN.x, public
    ).open(sealed)


def _box(suite: Suite) -> tuple[Callable[[bytes], object], tuple[bytes, ...]]:
    pair = suite.ephemeral(noise("ephemeral", 32))
    return lambda raw: suite.open_box(raw, OWN.x), (suite.seal_box(b"text", OWN.x.public, pair),)


def _pulled(raw: bytes) -> object:
    return secretstream.StreamReader(_NONCE, _KEY).pull(raw)


_SIGNED = real.ed25519_sign(OWN.ed, _TEXT)
_FAST_SIGNED = FAST.sign(OWN.ed, _TEXT)
_XED = xed25519.sign(OWN.x.secret, noise("x", 64), _TEXT)
_ONLY_OPEN = (CannotOpen,)

DECODERS = (
    Decoder(
        "crypto.aead.unseal",
        "raw",
        lambda raw: aead.unseal(raw, _NONCE, _KEY),
        (aead.seal(b"text", _NONCE, _KEY),),
        errors=_ONLY_OPEN,
        share=2,
        genuine=whole,
    ),
    Decoder(
        "crypto.aead.unseal/nonce and key",
        "raw",
        lambda raw: aead.unseal(bytes(20), raw[:24], raw[24:]),
        (),
        errors=_ONLY_OPEN,
        share=1,
    ),
    Decoder(
        "crypto.gcm.unseal",
        "raw",
        lambda raw: gcm.unseal(raw, _NONCE[:12], _KEY),
        (gcm.seal(b"text", _NONCE[:12], _KEY),),
        errors=_ONLY_OPEN,
        share=2,
        genuine=whole,
    ),
    Decoder(
        "crypto.gcm.unseal/nonce and key",
        "raw",
        lambda raw: gcm.unseal(bytes(20), raw[:12], raw[12:]),
        (),
        errors=_ONLY_OPEN,
        share=1,
    ),
    Decoder(
        "crypto.cbc.decrypt",
        "raw",
        lambda raw: cbc.decrypt(raw, _NONCE[:16], _KEY),
        (cbc.encrypt(b"text", _NONCE[:16], _KEY),),
        errors=_ONLY_OPEN,
        share=2,
    ),
    Decoder(
        "crypto.secretstream.StreamReader.pull",
        "raw",
        _pulled,
        (_CHUNK,),
        errors=_ONLY_OPEN,
        share=2,
        genuine=whole,
    ),
    *(
        Decoder(
            f"crypto.{suite.name}.{type(suite).open_box.__qualname__}",
            "raw",
            *_box(suite),
            errors=_ONLY_OPEN,
            share=share,
            genuine=whole,
        )
        for suite, share in ((SODIUM, 1), (FAST, 2))
    ),
    Decoder(
        "crypto.real.ed25519_verify",
        "raw",
        _verified(real.ed25519_verify, OWN.ed.public, _SIGNED),
        (_SIGNED,),
        errors=(),
        share=2,
    ),
    Decoder(
        "crypto.real.ed25519_verify/key",
        "raw",
        _under_other_keys(real.ed25519_verify, _SIGNED, (OWN.ed.public,)),
        (OWN.ed.public,),
        errors=(),
        share=2,
    ),
    *(
        Decoder(
            f"crypto.{suite.name}.{type(suite).verify.__qualname__}",
            "raw",
            _verified(suite.verify, OWN.ed.public, true),
            (true,),
            errors=(),
            share=1,
        )
        for suite, true in ((SODIUM, _SIGNED), (FAST, _FAST_SIGNED))
    ),
    *(
        Decoder(
            f"crypto.{suite.name}.{type(suite).verify.__qualname__}/key",
            "raw",
            _under_other_keys(suite.verify, true, (OWN.ed.public,)),
            (OWN.ed.public,),
            errors=(),
            share=1,
        )
        for suite, true in ((SODIUM, _SIGNED), (FAST, _FAST_SIGNED))
    ),
    Decoder(
        "crypto.xed25519.verify",
        "raw",
        _verified(xed25519.verify, OWN.x.public, _XED),
        (_XED,),
        errors=(),
        share=1,
    ),
    Decoder(
        "crypto.curve.times/keys of others",
        "raw",
        _point,
        (OWN.ed.public, OWN.x.public, bytes(32)),
        errors=_ONLY_OPEN,
        share=1,
    ),
    *(
        Decoder(
            f"versions.v1.seal_direct/{name}",
            "raw",
            _recipient(suite),
            (FRIEND.id,),
            errors=(CannotOpen, LocalProtocolError),
            share=1,
            base=3_000,
        )
        for name, suite in SUITES.items()
    ),
    Decoder(
        "groups.membership.add_members/ids",
        "raw",
        _members,
        (FRIEND.id, _ID_15, _ID_25),
        errors=(CannotOpen, LocalProtocolError),
        share=1,
        base=40_000,
    ),
    Decoder(
        "crypto.memo.LayerMemo.take",
        "raw",
        _memo,
        (SODIUM.ephemeral(noise("ephemeral", 32)).public,),
        errors=_ONLY_OPEN,
        share=1,
        genuine=whole,
    ),
    Decoder(
        "groups.identity.group_x25519",
        "raw",
        group_x25519,
        (GROUP.id,),
        errors=(CannotOpen, LocalProtocolError),
        share=1,
    ),
    Decoder(
        "blinding.blinded_id_matches",
        "raw",
        lambda raw: blinding.blinded_id_matches(raw[:33], raw[33:], SERVER_X),
        (FRIEND.id + _ID_15, FRIEND.id + _ID_25),
        errors=(),
        share=1,
    ),
)
