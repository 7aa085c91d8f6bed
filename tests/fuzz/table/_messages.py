"""Direct messages, legacy groups, messages between blinded ids, Pro: outside and inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol import blinded_message, blinding, direct, legacy_group
from sessionsim.protocol.crypto import Suite, aead, curve
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.versions import v1
from sessionsim.protocol.wire import envelope, padding, session_pb2
from tests.fuzz.decoder import Decoder, whole
from tests.fuzz.table._contents import CONTENTS
from tests.fuzz.table._keys import (
    BACKEND,
    FAST,
    FRIEND,
    NOW_MS,
    OWN,
    SERVER_X,
    SODIUM,
    SUITES,
    noise,
    x_pair,
)

_CONTROL = session_pb2.ClosedGroupControl
_NEW_PAIR = x_pair("legacy group")
_DISTRIBUTED = session_pb2.ClosedGroupKeyPair(publicKey=_NEW_PAIR.public, privateKey=_NEW_PAIR.secret)
_LEGACY_ID = b"\x05" + noise("legacy", 32)


def _distribution(kind: session_pb2.ClosedGroupControl.Type) -> bytes:
    control = _CONTROL(
        type=kind,
        publicKey=_LEGACY_ID,
        name="old",
        encryptionKeyPair=_DISTRIBUTED if kind == _CONTROL.NEW else None,
        members=[OWN.id, FRIEND.id],
        admins=[FRIEND.id],
    )
    sealed = v1.encrypt(FAST, FRIEND, OWN.x.public, _DISTRIBUTED.SerializeToString(), noise("e", 32))
    control.wrappers.add(publicKey=OWN.id, encryptedKeyPair=sealed)
    data = session_pb2.DataMessage(closedGroupControl=control.SerializeToString())
    return session_pb2.Content(dataMessage=data, sigTimestamp=NOW_MS).SerializeToString()


DISTRIBUTIONS = (_distribution(_CONTROL.NEW), _distribution(_CONTROL.ENCRYPTION_KEY_PAIR))


def _seal(suite: Suite, content: bytes, kind: envelope.Envelope.Type = envelope.DIRECT) -> bytes:
    sealed = v1.encrypt(suite, FRIEND, OWN.x.public, content, noise("ephemeral", 32))
    if kind == envelope.DIRECT:
        return envelope.wrap(sealed, NOW_MS, bytes(64))
    return envelope.wrap_old(sealed, NOW_MS, 5, kind=kind, source=_LEGACY_ID.hex())


def _stored(suite: Suite) -> tuple[bytes, ...]:
    content = CONTENTS[0]
    old = v1.encrypt(suite, FRIEND, OWN.x.public, padding.pad_old(content), noise("e", 32))
    return (_seal(suite, padding.pad(content)), envelope.wrap_old(old, NOW_MS, 5))


def _open_with_pro(suite: Suite) -> Callable[[bytes], object]:
    """Open a message and judge what it claims of Pro."""

    def run(content: bytes) -> object:
        received = direct.open_message(suite, OWN, _seal(suite, padding.pad(content)))
        return received, direct.pro_status(suite, received, BACKEND.public)

    return run


def _box(suite: Suite) -> Callable[[bytes], object]:
    """Seal anything to the account, signature and all, and let it be opened."""
    pair = suite.ephemeral(noise("ephemeral", 32))
    return lambda inside: v1.decrypt(suite, OWN.x, suite.seal_box(inside, OWN.x.public, pair))


def _signed_inside(content: bytes) -> bytes:
    return v1.sign_for_recipient(SODIUM, FRIEND, OWN.x.public, content)


def _open_pair(raw: bytes) -> object:
    found = legacy_group.read_key_distribution(raw)
    return None if found is None else (found, legacy_group.open_key_pair(FAST, OWN, found))


def _pair_inside(suite: Suite) -> Callable[[bytes], object]:
    def run(inside: bytes) -> object:
        sealed = v1.encrypt(suite, FRIEND, OWN.x.public, inside, noise("e", 32))
        distribution = legacy_group.KeyDistribution(_LEGACY_ID, None, {OWN.id: sealed}, "", (), ())
        return legacy_group.open_key_pair(suite, OWN, distribution)

    return run


_IDS = {
    prefix: (blinded_message.own_id(FRIEND, SERVER_X, prefix), blinded_message.own_id(OWN, SERVER_X, prefix))
    for prefix in (b"\x15", b"\x25")
}


def _blinded(prefix: bytes) -> tuple[Callable[[bytes], object], tuple[bytes, ...]]:
    sender, recipient = _IDS[prefix]
    sealed = tuple(
        blinded_message.seal(FRIEND, SERVER_X, recipient, text, noise("n", 24))
        for text in (b"", b"text", padding.pad(CONTENTS[1]))
    )
    return lambda raw: blinded_message.unseal(OWN, SERVER_X, sender, recipient, raw), sealed


def _blinded_inside(prefix: bytes) -> Callable[[bytes], object]:
    """Encrypt anything between the two ids: what is opened must name the sender outside."""
    sender, recipient = _IDS[prefix]
    secret = blinding.blind25_key(FRIEND, SERVER_X).scalar if prefix == b"\x25" else FRIEND.x.secret
    key = blake2b(curve.times(secret, recipient[1:]) + sender[1:] + recipient[1:], 32)

    def run(plain: bytes) -> object:
        sealed = b"\x00" + aead.seal(plain, noise("n", 24), key) + noise("n", 24)
        opened = blinded_message.unseal(OWN, SERVER_X, sender, recipient, sealed, either_sign=False)
        if opened.sender != FRIEND.id:
            raise AssertionError("somebody else passes for the sender")
        return opened

    return run


def _ids_outside(raw: bytes) -> object:
    """Take both ids from outside, and what the friend has sealed to the second."""
    sender, recipient, sealed = raw[:33], raw[33:66], raw[66:]
    return blinded_message.unseal(OWN, SERVER_X, sender, recipient, sealed)


def _said(message: v1.DirectMessage) -> object:
    """Leave out what anybody could have changed: the time outside."""
    return message.sender_id, message.sent_ms, message.body, message.sync_target


def _heard(received: Any) -> object:
    return received.sender_id, received.message


DECODERS = (
    *(
        Decoder(
            f"versions.v1.open_direct/{name}",
            "protobuf",
            lambda raw, suite=suite: v1.open_direct(suite, OWN, raw),
            _stored(suite),
            share=share,
            genuine=_said,
        )
        for (name, suite), share in zip(SUITES.items(), (1, 3), strict=True)
    ),  # type: ignore[misc]
    Decoder(
        "versions.v1.open_direct/inside",
        "protobuf",
        lambda raw: v1.open_direct(FAST, OWN, _seal(FAST, padding.pad(raw))),
        (CONTENTS[0], CONTENTS[2]),
        share=1,
    ),
    *(
        Decoder(
            f"versions.v1.decrypt/{name}",
            "raw",
            lambda raw, suite=suite: v1.decrypt(suite, OWN.x, raw),
            (v1.encrypt(suite, FRIEND, OWN.x.public, b"text" * 9, noise("e", 32)),),
            errors=(CannotOpen,),
            share=share,
            genuine=whole,
        )
        for (name, suite), share in zip(SUITES.items(), (1, 3), strict=True)
    ),  # type: ignore[misc]
    *(
        Decoder(
            f"versions.v1.decrypt/{name} inside",
            "raw",
            _box(suite),
            (_signed_inside(b"text"), _signed_inside(b"")),
            errors=(CannotOpen,),
            share=share,
        )
        for (name, suite), share in zip(SUITES.items(), (1, 3), strict=True)
    ),
    Decoder("direct.direct_envelope", "protobuf", direct.direct_envelope, _stored(FAST)),
    *(
        Decoder(
            f"direct.open_message/{name}",
            "protobuf",
            lambda raw, suite=suite: direct.open_message(suite, OWN, raw),
            _stored(suite),
            share=share,
            genuine=_heard,
        )
        for (name, suite), share in zip(SUITES.items(), (1, 3), strict=True)
    ),  # type: ignore[misc]
    Decoder(
        "direct.open_message/inside",
        "protobuf",
        _open_with_pro(FAST),
        (CONTENTS[0], CONTENTS[4], CONTENTS[-2]),
        share=1,
    ),
    Decoder(
        "direct.open_message/padded",
        "raw",
        lambda raw: direct.open_message(FAST, OWN, _seal(FAST, raw)),
        tuple(map(padding.pad, CONTENTS[4:8])),
        share=1,
    ),
    Decoder(
        "legacy_group.open_group_message",
        "protobuf",
        lambda raw: legacy_group.open_group_message(FAST, [x_pair("older"), OWN.x], raw),
        (_seal(FAST, padding.pad(CONTENTS[0]), envelope.GROUP),),
        share=2,
        genuine=_heard,
    ),
    Decoder(
        "legacy_group.read_key_distribution",
        "protobuf",
        legacy_group.read_key_distribution,
        (*DISTRIBUTIONS, CONTENTS[0]),
    ),
    Decoder("legacy_group.open_key_pair", "protobuf", _open_pair, DISTRIBUTIONS, share=2),
    Decoder(
        "legacy_group.open_key_pair/inside",
        "protobuf",
        _pair_inside(FAST),
        (_DISTRIBUTED.SerializeToString(),),
        share=1,
    ),
    *(
        Decoder(
            f"blinded_message.unseal/{prefix.hex()}",
            "raw",
            *_blinded(prefix),
            errors=(CannotOpen,),
            share=1,
            genuine=whole,
        )
        for prefix in _IDS
    ),
    *(
        Decoder(
            f"blinded_message.unseal/{prefix.hex()} inside",
            "raw",
            _blinded_inside(prefix),
            (b"text" + FRIEND.ed.public, FRIEND.ed.public),
            errors=(CannotOpen,),
            share=1,
        )
        for prefix in _IDS
    ),
    Decoder(
        "blinded_message.unseal/ids",
        "raw",
        _ids_outside,
        tuple(b"".join(_IDS[prefix]) + _blinded(prefix)[1][1] for prefix in _IDS),
        errors=(CannotOpen,),
        share=1,
        genuine=whole,
    ),
)
