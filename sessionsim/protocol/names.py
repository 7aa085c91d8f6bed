"""The name service: names that stand for account ids (messages 10, client-behaviour 6.5).

A client asks nodes for the hash of a name and gets a value that only who knows the name can open:

    asked = BLAKE2b-32( name )     key = BLAKE2b-32( name ; key = asked )
    answer = XChaCha( account id ; nonce, key )

Answers without nonce are of the form before hard fork 16 (`password_box`). No node is believed alone.
Names are lower case; what a person typed is brought to that.
Source: libsession-util: src/session_encrypt.cpp; session-desktop: ts/session/apis/snode_api/onsResolve.ts.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import aead, password_box
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.identity import ACCOUNT_PREFIX, ID_BYTES

# How many nodes must give the same answer; the specification says "several". Source: session-desktop:
# ts/session/apis/snode_api/onsResolve.ts (April 2026) asks three and wants three equal answers.
NODES_THAT_AGREE: Final = 3
ANSWER_BYTES: Final = ID_BYTES + aead.TAG_BYTES  # 49, in both forms. Source: messages 10, known answers
_NAME: Final = re.compile(
    r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
)  # Source: session-desktop: onsResolve.ts


class Answer(NamedTuple):
    """What one node says about a name. Args: ciphertext; nonce: 24 bytes, None in the form before fork 16."""

    ciphertext: bytes
    nonce: bytes | None


def name_of(typed: str) -> str:
    """Bring what a person typed to a name.

    Raises:
        InvalidInput: not letters, digits, `_` and, inside, `-`.
    Source: session-desktop: ts/session/apis/snode_api/onsResolve.ts.
    """
    name = typed.strip()
    if _NAME.fullmatch(name) is None:
        raise InvalidInput("name", typed, "letters a-z, digits, _ and, not first or last, -")
    return name.lower()


def asked_hash(name: str) -> str:
    """Give what a node is asked for: the hash of the name, in base64.

    Raises:
        InvalidInput: a name that cannot be written as UTF-8.
    Source: session-desktop: ts/session/apis/snode_api/onsResolve.ts.
    """
    return b64encode(blake2b(_lower(name), 32)).decode()


def read_answer(result: Mapping[str, Any]) -> Answer:
    """Read the `result` of a node's answer: `encrypted_value` and `nonce`, both in hex.

    Raises:
        RemoteProtocolError: no value, so nobody holds the name; or not hex of the right lengths.
    Source: session-desktop: ts/session/apis/snode_api/onsResolve.ts.
    """
    value, nonce = result.get("encrypted_value"), result.get("nonce")
    if not value:
        raise RemoteProtocolError("nobody holds this name")
    ciphertext = _unhex(value, ANSWER_BYTES)
    return Answer(ciphertext, None if nonce is None else _unhex(nonce, aead.NONCE_BYTES))


def open_answer(name: str, answer: Answer, *, legacy: bool = True) -> bytes:
    """Open a node's answer with the name that was asked for.

    Args:
        name: in any case.
        answer: as `read_answer` gives it.
        legacy: whether the form without nonce is opened. True: libsession-util (2026); False: libsession-util
            1.2.0 and session-desktop (April 2026). It costs a second and 256 MiB.

    Returns:
        The account id, 33 bytes starting with 05.

    Raises:
        CannotOpen: for another name, altered, no account id inside, or a form that is not opened.
        InvalidInput: a name that cannot be written as UTF-8.
    Source: messages 10; libsession-util: src/session_encrypt.cpp, which leaves the 05 to its caller.
    """
    word = _lower(name)
    if len(answer.ciphertext) != ANSWER_BYTES:
        raise CannotOpen("not the length of a name's answer")
    if answer.nonce is not None:
        account_id = aead.unseal(answer.ciphertext, answer.nonce, _key(word))
    elif legacy:
        account_id = password_box.unseal(answer.ciphertext, word)
    else:
        raise CannotOpen("a name's answer of the form before hard fork 16")
    if account_id[:1] != ACCOUNT_PREFIX:
        raise CannotOpen("the name stands for no account id")
    return account_id


def seal_answer(name: str, account_id: bytes, nonce24: bytes | None) -> Answer:
    """Make the value that a name's owner registers and nodes give out.

    Args:
        name: in any case.
        account_id: 33 bytes.
        nonce24: 24 bytes; None makes the form before hard fork 16.

    Raises:
        LocalProtocolError: an id or a nonce of another length. InvalidInput: see `open_answer`.
    Source: messages 10.
    """
    if len(account_id) != ID_BYTES or len(nonce24 or bytes(aead.NONCE_BYTES)) != aead.NONCE_BYTES:
        raise LocalProtocolError("a name stands for 33 bytes, under a nonce of 24 bytes")
    word = _lower(name)
    if nonce24 is None:
        return Answer(password_box.seal(account_id, word), None)
    return Answer(aead.seal(account_id, nonce24, _key(word)), nonce24)


def agreed_id(account_ids: Sequence[bytes], *, needed: int = NODES_THAT_AGREE) -> bytes:
    """Decide what a name stands for, from what several nodes said.

    Args:
        account_ids: what each node's answer opened to; a node that failed is not in it.
        needed: how many nodes must have answered. One that says otherwise spoils the look-up.

    Raises:
        RemoteProtocolError: too few answers, or two that differ.
    Source: client-behaviour 6.5; session-desktop: ts/session/apis/snode_api/onsResolve.ts.
    """
    if len(account_ids) < max(needed, 1):
        raise RemoteProtocolError(f"{len(account_ids)} of {needed} nodes answered for the name")
    if len(set(account_ids)) > 1:
        raise RemoteProtocolError("nodes disagree about the name")
    return account_ids[0]


def _key(word: bytes) -> bytes:
    return blake2b(word, 32, blake2b(word, 32))


def _lower(name: str) -> bytes:
    try:
        return name.lower().encode()
    except UnicodeEncodeError as wrong:
        raise InvalidInput("name", ascii(name), "text that can be written as UTF-8") from wrong


def _unhex(found: Any, size: int) -> bytes:
    if not isinstance(found, str) or len(found) != 2 * size:
        raise RemoteProtocolError("a name's answer of another form")
    try:
        raw = bytes.fromhex(found)
    except ValueError as wrong:
        raise RemoteProtocolError("a name's answer that is not hex") from wrong
    if len(raw) != size:  # fromhex leaves out blanks
        raise RemoteProtocolError("a name's answer that is not hex")
    return raw
