"""Opening: the keys an observer holds, and what really comes out of ciphertexts under them.

Nothing here is assumed. A layer opens when the AEAD of the protocol accepts it, under a key that was agreed
with a secret in the observer's hands: the addressee's long-term secret or the sender's ephemeral one.
`Keyring.candidates` looks keys up by the public keys that the layer names, instead of trying all of them;
that this loses nothing is tested against exhaustive trial.

`OpenedTable` remembers what came out, by ciphertext and key. It may be shared between observers, since a
result is only looked up for a key that the asking observer holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from sessionsim.adversary.terms import Innermost, Layer, Request, read_plaintext, read_request
from sessionsim.core.errors import CannotOpen, ProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Role
from sessionsim.core.view import HeldKey
from sessionsim.protocol.crypto import KeyPair, Suite, real, suite_named
from sessionsim.protocol.crypto.layer import Layer as Cipher
from sessionsim.protocol.crypto.layer import open_layer_type
from sessionsim.protocol.identity import ACCOUNT_PREFIX, Account, account_id_of_ed25519
from sessionsim.protocol.versions.v1 import DirectMessage, open_direct
from sessionsim.protocol.wire.envelope import unwrap
from sessionsim.protocol.wire.onion import open_answer

_UNKNOWN: Final = KeyPair(b"", b"")


class Attempt(NamedTuple):
    """One way to open a layer.

    Args:
        own: the secret used.
        client, node: the public keys, in their roles.
        owner: whose secret it is.
        since_us: since when it is held.
    """

    own: KeyPair
    client: bytes
    node: bytes
    owner: str
    since_us: int


class Opened(NamedTuple):
    """An opened layer. Args: cipher: opens the answer too; inside: what it held, read."""

    cipher: Cipher
    inside: Layer | Innermost | None


class Keyring:
    """The secrets an observer holds, found by public key.

    Args:
        keys: as in the view; an Ed25519 secret also yields its X25519 secret, by the known conversion.
        nodes: the public node list, which names the addressee's public key.
    """

    def __init__(self, keys: Iterable[HeldKey], nodes: NodeList) -> None:
        self._nodes = nodes
        self._x25519: dict[bytes, tuple[KeyPair, HeldKey]] = {}
        ed25519: dict[bytes, KeyPair] = {}
        for key in keys:
            pair = KeyPair(key.public, key.secret)
            if key.kind == "ed25519":
                converted = real.x25519_of_ed25519(pair)
                ed25519[converted.public] = pair
                self._hold(converted, key)
            else:
                self._hold(pair, key)
        self._accounts = {
            ACCOUNT_PREFIX + public: Account(ed25519.get(public, _UNKNOWN), pair, ACCOUNT_PREFIX + public)
            for public, (pair, _) in self._x25519.items()
        }

    def _hold(self, pair: KeyPair, key: HeldKey) -> None:
        known = self._x25519.get(pair.public)
        if known is None or key.since_us < known[1].since_us:
            self._x25519[pair.public] = (pair, key)

    def candidates(self, layer: Layer, roles: Collection[Role] = ()) -> list[Attempt]:
        """Give every held secret that one of the layer's two public keys names.

        Args:
            layer: a closed one.
            roles: in which roles its addressee got it; none for a layer that was found inside another.
        """
        if layer.addressee < 0:
            return []
        node, attempts = self._nodes.x25519[layer.addressee], []
        for public in (node, layer.ephemeral):
            held = self._x25519.get(public)
            if held is not None and (not held[1].roles or any(role in held[1].roles for role in roles)):
                attempts.append(Attempt(held[0], layer.ephemeral, node, held[1].owner, held[1].since_us))
        return attempts

    def account(self, account_id: bytes) -> Account | None:
        """Give the account that this id names, if its X25519 secret is held."""
        return self._accounts.get(account_id)

    def account_since_us(self, account_id: bytes) -> int:
        """Tell since when the key of an account is held."""
        return self._x25519[account_id[1:]][1].since_us


class OpenedTable:
    """What came out of which bytes under which key; every pair is tried once. Args: suite: its name."""

    def __init__(self, suite: str) -> None:
        self.suite: Suite = suite_named(suite, memo=False)
        self._read: dict[tuple[int, int, bytes], Request] = {}
        self._layers: dict[tuple[bytes, bytes, bytes], Opened | None] = {}
        self._answers: dict[tuple[int, bytes], tuple[int, bytes] | None] = {}
        self._letters: dict[tuple[bytes, bytes], DirectMessage | None] = {}
        self._signed: dict[tuple[bytes, bytes, bytes, bytes], bool] = {}
        self._stamps: dict[bytes, int | None] = {}
        self.tries = 0

    def read(self, head: int, addressee: int, payload: bytes) -> Request:
        """`terms.read_request`, once per distinct payload and reader."""
        key = (head, addressee, payload)
        if key not in self._read:
            self._read[key] = read_request(head, payload, addressee)
        return self._read[key]

    def layer(
        self, layer: Layer, keyring: Keyring, nodes: NodeList, roles: Collection[Role] = ()
    ) -> tuple[Opened, Attempt] | None:
        """Open a layer with whatever of the keyring opens it; None if nothing does. Gives also the way."""
        for attempt in keyring.candidates(layer, roles):
            key = (layer.ciphertext, attempt.client + attempt.node, attempt.own.public)
            if key not in self._layers:
                self._layers[key] = self._try(layer, attempt, nodes)
            opened = self._layers[key]
            if opened is not None:
                return opened, attempt
        return None

    def _try(self, layer: Layer, attempt: Attempt, nodes: NodeList) -> Opened | None:
        self.tries += 1
        peer = attempt.client if attempt.own.public != attempt.client else attempt.node
        try:
            shared = self.suite.agree(attempt.own, peer)
            cipher = open_layer_type(layer.enc_type)(shared, attempt.client, attempt.node)
            return Opened(cipher, read_plaintext(cipher.open(layer.ciphertext), nodes))
        except CannotOpen:
            return None

    def answer(self, cipher: Cipher, payload: bytes, as_base64: bool) -> tuple[int, bytes] | None:
        """Open an onion answer under the innermost layer of its request: status and body."""
        key = (id(cipher), payload)  # ciphers live as long as this table, so ids are not reused
        if key not in self._answers:
            try:
                self._answers[key] = open_answer(cipher, payload, as_base64=as_base64)
            except ProtocolError:
                self._answers[key] = None
        return self._answers[key]

    def stamp_ms(self, stored: bytes) -> int | None:
        """Read the time in a stored message's wrapper, which needs no key."""
        if stored not in self._stamps:
            try:
                self._stamps[stored] = unwrap(stored)[0]
            except ProtocolError:
                self._stamps[stored] = None
        return self._stamps[stored]

    def signed(self, account_id: bytes, ed25519: bytes, text: bytes, signature: bytes) -> bool:
        """Check that the account's owner signed a text: its key is the account's, and the signature holds."""
        key = (account_id, ed25519, text, signature)
        if key not in self._signed:
            try:
                owner = account_id_of_ed25519(ed25519) == account_id
            except CannotOpen:
                owner = False
            self._signed[key] = owner and self.suite.verify(ed25519, text, signature)
        return self._signed[key]

    def letter(self, stored: bytes, account: Account) -> DirectMessage | None:
        """Open a stored message with an account's key."""
        key = (stored, account.id)
        if key not in self._letters:
            try:
                self._letters[key] = open_direct(self.suite, account, stored)
            except ProtocolError:
                self._letters[key] = None
        return self._letters[key]
