"""The onion layers of a run: each ciphertext once, what came out of it, and whose keys open it.

Nothing is assumed: a layer opens when the AEAD of the protocol accepts it, under a key that was agreed with a
secret in somebody's hands, the addressee's lasting one or the sender's passing one. Keys are looked up by the
public keys that the layer names instead of all being tried; that this loses nothing is tested against
exhaustive trial. Which observer may use a key is not asked here but in `closure`: a layer notes which keys
open it, and an observer without one of them has a closed layer.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from sessionsim.adversary.keyring import NO_KEY, Keys
from sessionsim.adversary.reused import reused
from sessionsim.adversary.terms import MIN_CIPHERTEXT_BYTES, NOTHING, UNKNOWN, Layer
from sessionsim.core.errors import CannotOpen
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.crypto import KeyPair, Suite
from sessionsim.protocol.crypto.layer import Layer as Cipher
from sessionsim.protocol.crypto.layer import open_layer_type
from sessionsim.protocol.crypto.opening import Opener, layer_under
from sessionsim.protocol.wire.onion import decode_usual_hop, decode_usual_route

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
        if known is not None and own < 0:  # nearly all
            number = keys.find(known)
            return (Way(number, layer.ephemeral, known),) if number >= 0 else ()
        return [
            Way(number, layer.ephemeral, node)
            for node in ((known,) if known is not None else servers if layer.server else ())
            for number in (keys.find(node), own)
            if number >= 0
        ]

    return ways


class Layers:
    """All layers met so far. Columns by layer number; NONE where there is nothing.

    Args:
        suite: cryptography.
        keys: the secrets.
        ways: how secrets are found for a layer.
        inside: told of every layer that opens, by number and depth, and what came out; gives the number of
            the layer inside and of the request inside.
        nodes: whom layers may be for, for the quick way; None opens all of them the general way.
    """

    def __init__(
        self,
        suite: Suite,
        keys: Keys,
        ways: Ways,
        inside: Callable[[int, int, Layer, Opened], tuple[int, int]],
        nodes: NodeList | None = None,
    ) -> None:
        self._suite, self._keys, self._ways, self._inside, self._nodes = suite, keys, ways, inside, nodes
        self._publics = nodes.x25519 if nodes is not None else ()
        self._n_nodes = len(self._publics)
        self.opener = Opener()
        self._number: dict[int, int] = {}  # by hash
        self.child, self.request = array("q"), array("q")
        self.keys = array("q"), array("q")  # numbers of up to two secrets that open it
        self.marks: list[bytes] = []  # the first bytes of the ciphertext, to show
        self.ephemerals = bytearray()  # as many of each passing key
        self.ciphers = array("q")  # number of the cipher's name
        self.cipher_names: list[str] = []
        self._cipher: dict[str, int] = {}  # places in cipher_names
        self.tries = 0

    def __len__(self) -> int:
        return len(self.marks)

    @cached_property
    def reused(self) -> tuple[list[int], list[str]]:
        """Find the keys and nonces that several layers have: numbers of the layers, terms."""
        return reused(bytes(self.ephemerals), b"".join(self.marks))

    def meet(self, layer: Layer, depth: int = 0) -> int:
        """Give the number of a layer, and open it when it is new. Args: depth: layers around it.

        Returns:
            NONE for a ciphertext too short to be one.
        """
        ciphertext = layer.ciphertext
        if len(ciphertext) < MIN_CIPHERTEXT_BYTES:
            return NONE
        number = self._number.get(hash(ciphertext), NONE)
        if number < 0:
            return self._peel(layer, depth)
        if not depth and self.keys[0][number] == NO_KEY:
            self._open(number, layer, depth)  # a row may say for whom it is where the layer around it did not
        return number

    def met_again(self, payload: bytes) -> int:
        """Give the number of the layer in what one node sends to another, where it was opened before.

        Returns:
            NONE for one that is new or closed, and for what is not written as usual.
        """
        usual = decode_usual_hop(payload)
        number = self._number.get(hash(usual[0]), NONE) if usual is not None else NONE
        return number if number >= 0 and self.keys[0][number] != NO_KEY else NONE

    def _peel(self, layer: Layer, depth: int) -> int:
        """Open a new layer, and those in it; gives its number.

        Layers for a node whose key is there, with nothing in them but the next one as clients write it, are
        opened here one after the other; anything else is left to `_open`, which finds the same (tested).
        """
        nodes, find, numbers, pairs = self._nodes, self._keys.find, self._number, self._keys.pairs
        agree, opening, marks = self._suite.agree, self.opener.open, self.marks
        ciphertext, ephemeral, enc_type, addressee, _, server = layer
        outermost = around = NONE
        while True:
            # Python's keyed hash of 64 bits: none of a run's strings share one by chance, nor on purpose.
            n, long = len(marks), len(ciphertext) >= MIN_CIPHERTEXT_BYTES
            number = numbers.setdefault(hash(ciphertext), n) if long else NONE
            new = number == n
            if new:
                self._add(ciphertext, ephemeral, enc_type)
            if around < 0:
                outermost = number
            else:
                self.child[around] = number
            if not new or depth >= _MAX_LAYERS:
                return outermost
            node = self._publics[addressee] if 0 <= addressee < self._n_nodes else b""
            key = find(node)
            if nodes is None or key < 0 or server or find(ephemeral) >= 0:
                self._open(number, Layer(ciphertext, ephemeral, enc_type, addressee, NOTHING, server), depth)
                return outermost
            self.tries += 1
            try:
                shared = agree(pairs[key], ephemeral)
                under, plaintext = opening(enc_type, shared, ephemeral, node, ciphertext)
            except CannotOpen:
                return outermost
            self.keys[0][number] = key
            route = decode_usual_route(plaintext)
            if route is None:
                opened = Opened(layer_under(enc_type, under), plaintext, node)
                here = Layer(ciphertext, ephemeral, enc_type, addressee)
                self.child[number], self.request[number] = self._inside(number, depth, here, opened)
                return outermost
            ciphertext, ephemeral, enc_type, destination = route
            addressee = nodes.index.get(destination, UNKNOWN)
            around, depth = number, depth + 1

    def _add(self, ciphertext: bytes, ephemeral: bytes, cipher: str) -> None:
        self.marks.append(ciphertext[:8])
        self.ephemerals += ephemeral[:8]
        self.child.append(NONE)
        self.request.append(NONE)
        self.keys[0].append(NO_KEY)
        self.keys[1].append(NO_KEY)
        kind = self._cipher.get(cipher)
        if kind is None:
            kind = self._cipher[cipher] = len(self.cipher_names)
            self.cipher_names.append(cipher)
        self.ciphers.append(kind)

    def _open(self, number: int, layer: Layer, depth: int) -> None:
        if depth >= _MAX_LAYERS:
            return
        found = NO_KEY
        for way in self._ways(layer):
            if way.key == found:
                continue
            opened = self.try_open(layer, way)
            if opened is None:
                continue
            if found != NO_KEY:
                self.keys[1][number] = way.key
                return
            found = self.keys[0][number] = way.key
            self.child[number], self.request[number] = self._inside(number, depth, layer, opened)

    def open_again(self, layer: Layer) -> Iterable[tuple[Way, Opened]]:
        """Give all ways in which a layer opens, and what comes out."""
        for way in self._ways(layer):
            opened = self.try_open(layer, way)
            if opened is not None:
                yield way, opened

    def try_open(self, layer: Layer, way: Way) -> Opened | None:
        """Try one way; None if the layer does not open."""
        self.tries += 1
        key, client, node = way
        own: KeyPair = self._keys.pairs[key]
        try:
            shared = self._suite.agree(own, client if own[0] != client else node)
            cipher = open_layer_type(layer.enc_type)(shared, client, node)
            return Opened(cipher, cipher.open(layer.ciphertext), node)
        except CannotOpen:
            return None
