"""The dict inside a V2 message: who says what to whom, signed (protocol-v2 7.1).

    d 1:S 32:<sender's Ed25519 key> 1:c <Content> 1:~ 64:<signature> [2:~P 64:<Pro signature>] e

The signature is over BLAKE2b-64 of the dict so far, keyed with the recipient's 33-byte id, so that a message
cannot be handed on to someone else. The Pro signature is over everything before it; who may make it is
decided by a layer above. Unknown keys are ignored: signed where they stand before a signature.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite
from sessionsim.protocol.wire import signed_dict
from sessionsim.protocol.wire.signed_dict import SIGNATURE, SIGNATURE_BYTES

PRO_SIGNATURE: Final = b"~P"  # Source: protocol-v2 7.1
PRO_BYTES: Final = 71  # what a Pro signature adds. Source: protocol-v2 7.2
_PERSON: Final = b"SessionV2Message"  # Source: protocol-v2 7.1
# How the dict begins when it has no unknown keys, which is how all clients write it.
_START: Final = re.compile(rb"d1:S32:(.{32})1:c(0|[1-9][0-9]{0,6}):", re.DOTALL)
_FIXED_BYTES: Final = 114  # all but the content and its length in digits. Source: protocol-v2 7.2


class Inner(NamedTuple):
    """An opened and verified inner dict.

    Args:
        sender: Ed25519 key, 32 bytes.
        content: a serialised Content.
        pro_signature: 64 bytes, not checked; None if there is none.
    """

    sender: bytes
    content: bytes
    pro_signature: bytes | None


def inner_bytes(content_bytes: int, *, pro: bool) -> int:
    """Give the length of the dict for a length of content. Source: protocol-v2 7.2."""
    return _FIXED_BYTES + len(str(content_bytes)) + content_bytes + (PRO_BYTES if pro else 0)


def signed_hash(part: bytes, recipient_id: bytes) -> bytes:
    """Give what the sender signs: a hash of the dict so far for one recipient."""
    return hashlib.blake2b(part, key=recipient_id, person=_PERSON).digest()


def write_inner(
    suite: Suite, sender: KeyPair, recipient_id: bytes, content: bytes, pro: KeyPair | None = None
) -> bytes:
    """Write and sign the dict, without padding.

    Args:
        sender: the account's Ed25519 pair.
        recipient_id: 33 bytes.
        pro: Ed25519 pair of the sender's Pro key.

    Source: protocol-v2 7.1; libsession-util: src/session_encrypt.cpp.
    """
    part = b"d1:S32:%b1:c%d:%b" % (sender.public, len(content), content)
    inner = b"%b1:~64:%be" % (part, suite.sign_stored(sender, signed_hash(part, recipient_id)))
    if pro is None:
        return inner
    return signed_dict.append(inner, PRO_SIGNATURE, lambda signed: suite.sign_stored(pro, signed))


def read_inner(suite: Suite, recipient_id: bytes, padded: bytes) -> Inner:
    """Read the dict and check that its sender signed it for this recipient.

    Args:
        padded: with the zero bytes behind it; any bytes.

    Raises:
        RemoteProtocolError: no such dict, something behind it, or not signed for this recipient.
    Source: protocol-v2 7.3; libsession-util: src/session_encrypt.cpp.
    """
    inner = padded.rstrip(b"\0")  # a dict ends in e, so zeros at the end are padding
    part, found, signature = _usual(inner) or _any(inner)
    if not suite.verify_stored(found.sender, signed_hash(part, recipient_id), signature):
        raise RemoteProtocolError("a message that its sender did not sign for this recipient")
    return found


def _usual(inner: bytes) -> tuple[bytes, Inner, bytes] | None:
    """Take the dict apart as all clients write it: signed part, fields, signature. None: another form."""
    start = _START.match(inner)
    if start is None:
        return None
    end = start.end() + int(start[2])
    rest = inner[end + 6 + SIGNATURE_BYTES :]
    if inner[end : end + 6] != b"1:~64:" or not (rest == b"e" or _is_pro(rest)):
        return None
    pro = None if rest == b"e" else rest[7:-1]
    return inner[:end], Inner(start[1], inner[start.end() : end], pro), inner[end + 6 : end + 70]


def _is_pro(rest: bytes) -> bool:
    return len(rest) == PRO_BYTES + 1 and rest[:7] == b"2:~P64:" and rest[-1:] == b"e"


def _any(inner: bytes) -> tuple[bytes, Inner, bytes]:
    """The same for any dict. Raises RemoteProtocolError."""
    fields = signed_dict.read(inner)
    sender, content = signed_dict.field(fields, b"S", 32), fields.get(b"c")
    signature = signed_dict.field(fields, SIGNATURE, SIGNATURE_BYTES)
    if type(content) is not bytes:
        raise RemoteProtocolError("a message without content")
    pro = signed_dict.field(fields, PRO_SIGNATURE, SIGNATURE_BYTES) if PRO_SIGNATURE in fields else None
    return signed_dict.signed_part(inner, fields, SIGNATURE), Inner(sender, content, pro), signature
