"""Names, phrases and addresses that people type, and what nodes answer about a name."""

from __future__ import annotations

from sessionsim.core.errors import CannotOpen, InvalidInput, RemoteProtocolError
from sessionsim.protocol import mnemonic, names, snode_address
from sessionsim.protocol.crypto import aead, password_box
from sessionsim.protocol.wire.rpc import read_object
from tests.fuzz.decoder import Decoder, whole
from tests.fuzz.table._keys import FRIEND, noise, text_of

# A word whose stretched key is kept: each other word would cost a second and 256 MiB.
_WORD = "bob"
_NONCE = noise("nonce", 24)
_ANSWER, _OLD_ANSWER = (names.seal_answer(_WORD, FRIEND.id, nonce) for nonce in (_NONCE, None))


def _name_answer(raw: bytes) -> object:
    return names.open_answer(_WORD, names.read_answer(read_object(raw)))


def _result(answer: names.Answer) -> bytes:
    nonce = b"" if answer.nonce is None else b',"nonce":"%b"' % answer.nonce.hex().encode()
    return b'{"encrypted_value":"%b"%b}' % (answer.ciphertext.hex().encode(), nonce)


_PHRASE = mnemonic.phrase_of(bytes(range(16)))


_TYPED = (InvalidInput,)

DECODERS = (
    Decoder(
        "crypto.password_box.unseal",
        "raw",
        lambda raw: password_box.unseal(raw, _WORD.encode()),
        (_OLD_ANSWER.ciphertext,),
        errors=(CannotOpen,),
        share=1,
        genuine=whole,
    ),
    Decoder(
        "names.open_answer",
        "json",
        _name_answer,
        (_result(_ANSWER), _result(_OLD_ANSWER)),
        share=2,
        genuine=whole,
    ),
    Decoder(
        "names.open_answer/inside",
        "raw",
        lambda raw: names.open_answer(
            _WORD, names.Answer(aead.seal(raw, _NONCE, names._key(b"bob")), _NONCE)
        ),
        (FRIEND.id,),
        errors=(CannotOpen,),
        share=1,
    ),
    Decoder(
        "names.name_of",
        "text",
        lambda raw: names.asked_hash(names.name_of(text_of(raw))),
        (b"Bob", b"a_b-c"),
        errors=_TYPED,
        share=2,
    ),
    Decoder(
        "names.agreed_id",
        "raw",
        lambda raw: names.agreed_id([raw[at : at + 33] for at in range(0, len(raw), 33)]),
        (FRIEND.id * 3,),
        errors=(RemoteProtocolError,),
        share=1,
    ),
    Decoder(
        "mnemonic.seed_of",
        "text",
        lambda raw: mnemonic.seed_of(text_of(raw)),
        (_PHRASE.encode(), _PHRASE.upper().encode()),
        errors=_TYPED,
    ),
    Decoder(
        "mnemonic.seed_of/without checksum",
        "text",
        lambda raw: mnemonic.seed_of(text_of(raw), checksum_optional=True),
        (_PHRASE.rpartition(" ")[0].encode(),),
        errors=_TYPED,
        share=2,
    ),
    Decoder(
        "snode_address.public_of_snode_address",
        "text",
        lambda raw: snode_address.public_of_snode_address(text_of(raw)),
        (snode_address.snode_address(noise("node", 32)).encode(),),
        errors=_TYPED,
        share=2,
    ),
)
