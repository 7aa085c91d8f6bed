"""The onion layers of a run: each ciphertext once, what came out of it, and whose keys open it.

Nothing is assumed: a layer opens when the AEAD of the protocol accepts it, under a key that was agreed with a
secret in somebody's hands, the addressee's lasting one or the sender's passing one. Keys are looked up by the
public keys that the layer names instead of all being tried; that this loses nothing is tested against
exhaustive trial. Which observer may use a key is not asked here but in `closure`: a layer notes which keys
open it, and an observer without one of them has a closed layer.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sessionsim.adversary.keyring import NO_KEY, Keys
from sessionsim.adversary.terms import MIN_CIPHERTEXT_BYTES, Layer
from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.crypto import KeyPair, Suite
from sessionsim.protocol.crypto.layer import Layer as Cipher
from sessionsim.protocol.crypto.layer import open_layer_type

NONE: Final = -1
_MAX_LAYERS: Final = 16  # Source: transport 3.5, nodes refuse requests beyond 15 hops


class Way(NamedTuple):
    """One way to open a layer. Args: key: number of the secret; client, node: public keys, in their roles."""

    key: int
    client: bytes
    node: bytes


class Opened(NamedTuple):
    """An opened layer. Args: cipher: opens the answer too; node: key of who it was for."""

    cipher: Cipher
    plaintext: bytes
    node: bytes


Ways = Callable[[Layer], Iterable[Way]]


def ways_by_name(keys: Keys, nodes: Sequence[bytes], server_keys: Mapping[int, bytes]) -> Ways:
    """Find ways by the public keys that a layer names.

    Args:
        keys: the secrets.
        nodes: X25519 key of each node.
        server_keys: endpoint of each server -> its X25519 key.
    """
    public_keys = {**dict(enumerate(nodes)), **server_keys}
    servers = tuple(server_keys.values())

    def ways(layer: Layer) -> Iterable[Way]:
        own = keys.find(layer.ephemeral)
        # Who a layer is for is known from the row or the layer around it; a server may only be named there.
        known = public_keys.get(layer.addressee)
        for node in (known,) if known is not None else servers if layer.server else ():
            for number in (keys.find(node), own):
                if number >= 0:
                    yield Way(number, layer.ephemeral, node)

    return ways


class Layers:
    """All layers met so far. Columns by layer number; NONE where there is nothing.

    Args:
        suite: cryptography.
        keys: the secrets.
        ways: how secrets are found for a layer.
        inside: told of every layer that opens, by number and depth, and what came out; gives the number of
            the layer inside and of the request inside.
    """

    def __init__(
        self,
        suite: Suite,
        keys: Keys,
        ways: Ways,
        inside: Callable[[int, int, Layer, Opened], tuple[int, int]],
    ) -> None:
        self._suite, self._keys, self._ways, self._inside = suite, keys, ways, inside
        self._number: dict[bytes, int] = {}
        self.child, self.request = array("q"), array("q")
        self.keys = array("q"), array("q")  # numbers of up to two secrets that open it
        self.marks: list[bytes] = []  # the first bytes of the ciphertext, to show
        self.ciphers = array("q")  # number of the cipher's name
        self.cipher_names: list[str] = []
        self.tries = 0

    def __len__(self) -> int:
        return len(self.marks)

    def meet(self, layer: Layer, depth: int = 0) -> int:
        """Give the number of a layer, and open it when it is new. Args: depth: layers around it.

        Returns:
            NONE for a ciphertext too short to be one.
        """
        if len(layer.ciphertext) < MIN_CIPHERTEXT_BYTES:
            return NONE
        digest = hashlib.sha256(layer.ciphertext).digest()  # the quickest of those without collisions
        number = self._number.setdefault(digest, len(self.marks))
        if number == len(self.marks):
            for column in (self.child, self.request, *self.keys):
                column.append(NONE)
            self.marks.append(layer.ciphertext[:8])
            if layer.enc_type not in self.cipher_names:
                self.cipher_names.append(layer.enc_type)
            self.ciphers.append(self.cipher_names.index(layer.enc_type))
            self._open(number, layer, depth)
        elif self.keys[0][number] == NO_KEY and not depth:
            self._open(number, layer, depth)  # a row may say for whom it is where the layer around it did not
        return number

    def _open(self, number: int, layer: Layer, depth: int) -> None:
        if depth >= _MAX_LAYERS:
            return
        found: list[int] = []
        for way in self._ways(layer):
            if way.key in found or len(found) == len(self.keys):
                continue
            opened = self.try_open(layer, way)
            if opened is None:
                continue
            if not found:
                self.child[number], self.request[number] = self._inside(number, depth, layer, opened)
            self.keys[len(found)][number] = way.key
            found.append(way.key)

    def open_again(self, layer: Layer) -> Iterable[tuple[Way, Opened]]:
        """Give all ways in which a layer opens, and what comes out."""
        for way in self._ways(layer):
            opened = self.try_open(layer, way)
            if opened is not None:
                yield way, opened

    def try_open(self, layer: Layer, way: Way) -> Opened | None:
        """Try one way; None if the layer does not open."""
        self.tries += 1
        own: KeyPair = self._keys.pairs[way.key]
        peer = way.client if own.public != way.client else way.node
        try:
            shared = self._suite.agree(own, peer)
            cipher = open_layer_type(layer.enc_type)(shared, way.client, way.node)
            return Opened(cipher, cipher.open(layer.ciphertext), way.node)
        except CannotOpen:
            return None
