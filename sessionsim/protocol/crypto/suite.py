"""What a crypto suite offers to the rest of the protocol, and the key objects it hands out.

Two suites stand behind this interface: `sodium` (real curves) and `fast` (real identities and AEADs,
keyed hashing in place of the curve operations of transit). A key pair is made only by a suite and only
from its secret, so holding a `KeyPair` is presenting the secret. See `design.md`, Suites.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from sessionsim.protocol.crypto.layer import Layer


class KeyPair(NamedTuple):
    """An X25519 or Ed25519 pair. `secret` is the 32-byte scalar (X25519) or seed (Ed25519)."""

    public: bytes
    secret: bytes


class ScalarKey(NamedTuple):
    """A bare Ed25519 scalar and its point: keys of blinded ids and group tokens, which have no seed."""

    public: bytes
    scalar: bytes


class KemPair(NamedTuple):
    """An ML-KEM-768 pair. `public` is the encapsulation key (1184 bytes), `secret` the 64-byte seed."""

    public: bytes
    secret: bytes


class Suite(Protocol):
    """The operations that a suite may replace. Everything symmetric is real in every suite."""

    name: str

    def ephemeral(self, secret: bytes) -> KeyPair:
        """Make an X25519 pair for one message from 32 random bytes.

        Raises:
            LocalProtocolError: not 32 bytes.
        """

    def agree(self, own: KeyPair, peer: bytes) -> bytes:
        """Give the 32-byte shared secret of `own` and the public key `peer`.

        Raises:
            CannotOpen: the public key is no usable curve point.
        """

    def layer_to(self, layer_type: type[Layer], secret: bytes, server: bytes) -> tuple[bytes, Layer]:
        """Open a layer towards a server as the client: a new ephemeral key from 32 random bytes.

        Returns:
            The ephemeral public key, and the layer.

        Raises:
            CannotOpen: the server's key is no usable curve point.
        """

    def layer_from(self, layer_type: type[Layer], own: KeyPair, ephemeral: bytes) -> Layer:
        """Open the same layer as the server, from the client's ephemeral public key. Raises CannotOpen."""

    def sign(self, own: KeyPair, message: bytes) -> bytes:
        """Sign a request or an answer that nobody keeps; 64 bytes."""

    def sign_scalar(self, own: ScalarKey, nonce64: bytes, message: bytes) -> bytes:
        """Sign a request with a bare scalar, `curve.sign`; `verify` checks it under the key's point."""

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Check a signature made by `sign`. Any bytes may be given; wrong lengths are simply not valid."""

    def sign_stored(self, own: KeyPair, message: bytes) -> bytes:
        """Sign something that is stored or compared: real Ed25519 in every suite."""

    def verify_stored(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Check a signature made by `sign_stored`."""

    def seal_box(self, plaintext: bytes, recipient: bytes, ephemeral: KeyPair) -> bytes:
        """Seal to an X25519 key with an injected ephemeral pair; libsodium's crypto_box_seal layout."""

    def open_box(self, sealed: bytes, own: KeyPair) -> bytes:
        """Open a sealed box. Raises CannotOpen on anything that does not authenticate."""

    def decoy_signature(self, random64: bytes) -> bytes:
        """Make 64 bytes that look like a signature and verify under nothing (messages 2.2)."""

    def kem_keypair(self, seed: bytes) -> KemPair:
        """Make the ML-KEM-768 pair of a 64-byte seed. Raises LocalProtocolError: another length."""

    def kem_encapsulate(self, public: bytes, coins: bytes) -> tuple[bytes, bytes]:
        """Make a secret for the holder of an ML-KEM-768 key.

        Args:
            public: encapsulation key, 1184 bytes.
            coins: 32 bytes never used before. `SodiumSuite` does not use them, since its library draws its
                own: there ciphertexts differ from run to run in bytes, never in length.

        Returns:
            The secret (32 bytes) and its ciphertext (1088 bytes).

        Raises:
            CannotOpen: not a public key.
            LocalProtocolError: coins of another length.
        """

    def kem_decapsulate(self, own: KemPair, ciphertext: bytes) -> bytes:
        """Give the 32-byte secret of a ciphertext; another one for a wrong key or an altered ciphertext.

        Raises:
            CannotOpen: not 1088 bytes.
        """
