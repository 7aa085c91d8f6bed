"""Letters in the inboxes of a community, and what an account's key opens in them (messages 3.2, 8).

The server hands over the two pseudonyms and a ciphertext. Both ends open it alike, so the key of the one
whose pseudonym either of them is opens it. What is inside names the writer's account, and the pseudonym on
the outside must be made of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sessionsim.adversary.fields import ID_BYTES, base64_bytes, hex_bytes
from sessionsim.adversary.keyring import Keys
from sessionsim.core.errors import CannotOpen, ProtocolError
from sessionsim.protocol.blinded_message import own_id, unseal
from sessionsim.protocol.communities.mail import mail_names
from sessionsim.protocol.contents import Message, read
from sessionsim.protocol.wire.padding import unpad

_SEND: Final = "POST /inbox/"  # followed by the reader's pseudonym. Source: messages 8
_BOXES: Final = ("GET /inbox", "GET /outbox")
_NAMED_IN: Final = "x-sogs-pubkey"


class Mail(NamedTuple):
    """A letter as the server has it. Args: sender, recipient: pseudonyms, 33 bytes each."""

    sender: bytes
    recipient: bytes
    sealed: bytes

    @property
    def name(self) -> str:
        """What it is known by."""
        return mail_names(self.sealed)[0]


class OpenedMail(NamedTuple):
    """An opened letter.

    Args:
        key: number of the secret that opens it; owner: id of whose it is.
        writer: account id; plaintext: the Content as bytes; message: the same as it is read, None for none.
    """

    key: int
    owner: bytes
    writer: bytes
    plaintext: bytes
    message: Message | None


def mail_sent(method: str, fields: Mapping[str, Any]) -> Iterator[Mail]:
    """Give the letter that a request to a community sends; none for any other."""
    if not method.startswith(_SEND):
        return
    headers = fields.get("headers")
    names = {key.lower(): value for key, value in headers.items()} if isinstance(headers, dict) else {}
    yield from _mail(names.get(_NAMED_IN), method.removeprefix(_SEND), fields.get("message"))


def mail_got(method: str, fields: Mapping[str, Any]) -> Iterator[Mail]:
    """Give the letters that an answer of a community hands over. Args: method: of what was asked."""
    posts = fields.get("body") if method.startswith(_BOXES) else None
    for post in posts if isinstance(posts, list) else ():
        if isinstance(post, dict):
            yield from _mail(post.get("sender"), post.get("recipient"), post.get("message"))


def _mail(sender: object, recipient: object, message: object) -> Iterator[Mail]:
    ids, sealed = [hex_bytes(one) for one in (sender, recipient)], base64_bytes(message)
    if sealed and all(len(one) == ID_BYTES for one in ids):
        yield Mail(ids[0], ids[1], sealed)


class Mailbox:
    """Opens letters with the accounts among the keys of observers. Args: keys: their secrets."""

    def __init__(self, keys: Keys) -> None:
        self._accounts = keys.accounts()
        self._pseudonyms: dict[tuple[int, bytes, bytes], bytes] = {}

    def open(self, server_x: bytes, mail: Mail) -> Iterator[OpenedMail]:
        """Give each way in which a letter opens. Args: server_x: X25519 key of the community."""
        for number, account in self._accounts:
            if self._pseudonym(number, server_x, mail.sender[:1]) not in (mail.sender, mail.recipient):
                continue
            try:
                opened = unseal(account, server_x, mail.sender, mail.recipient, mail.sealed)
            except ProtocolError:
                continue
            plaintext = unpad(opened.message)
            try:
                message: Message | None = read(plaintext)
            except ProtocolError:
                message = None
            yield OpenedMail(number, account.id, opened.sender, plaintext, message)

    def _pseudonym(self, number: int, server_x: bytes, prefix: bytes) -> bytes:
        """Give what an account is called in a community; empty for a kind that is none."""
        at = (number, server_x, prefix)
        if at not in self._pseudonyms:
            account = next(account for one, account in self._accounts if one == number)
            try:
                self._pseudonyms[at] = own_id(account, server_x, prefix)
            except (CannotOpen, ProtocolError):
                self._pseudonyms[at] = b""
        return self._pseudonyms[at]
