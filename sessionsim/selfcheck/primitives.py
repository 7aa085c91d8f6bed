"""Bare cryptographic calls, one function for each kind: what a benchmark divides by.

A `Primitive` says what an operation must do at least: a name, a call that does it once with nothing around
it, and how often. A benchmark writes its list of primitives down as data; the functions below give the calls
for bytes of a given length, through the same libraries that the protocol uses.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import NamedTuple

import orjson
import zstandard
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7
from nacl import bindings

Call = Callable[[], object]

_KEY, _NONCE, _LONG_NONCE = bytes(range(32)), bytes(12), bytes(24)
_PUBLIC, _SECRET = bindings.crypto_box_seed_keypair(bytes(31) + b"\x01")
_ED_PUBLIC, _ED_SECRET = bindings.crypto_sign_seed_keypair(bytes(31) + b"\x02")
_SCALAR = bindings.crypto_core_ed25519_scalar_reduce(bytes(range(64)))


class Primitive(NamedTuple):
    """One kind of operation that must be done.

    Args:
        name: what it is and for what.
        call: does it once.
        fixed: how often, whatever the swarm.
        per_member: how often for each member of a swarm, both swarms together.
    """

    name: str
    call: Call
    fixed: int = 1
    per_member: int = 0

    def times(self, members: float = 0) -> float:
        """How often it is done in swarms of `members` nodes."""
        return self.fixed + self.per_member * members


def shared_secret() -> Call:
    """X25519 of a secret and a public key."""
    return lambda: bindings.crypto_scalarmult(_SECRET, _PUBLIC)


def public_key() -> Call:
    """X25519 public key of a secret."""
    return lambda: bindings.crypto_scalarmult_base(_KEY)


def box_sealed(size_bytes: int) -> Call:
    """A sealed box with a given ephemeral pair; the making of that pair is not in it."""
    plaintext = bytes(size_bytes)

    def seal() -> object:
        shared = bindings.crypto_box_beforenm(_PUBLIC, _SECRET)
        nonce = hashlib.blake2b(_PUBLIC + _PUBLIC, digest_size=24).digest()
        return bindings.crypto_box_easy_afternm(plaintext, nonce, shared)

    return seal


def box_opened(size_bytes: int) -> Call:
    """A sealed box of so many bytes of plaintext opened."""
    box = bindings.crypto_box_seal(bytes(size_bytes), _PUBLIC)
    return lambda: bindings.crypto_box_seal_open(box, _PUBLIC, _SECRET)


def secretbox_sealed(size_bytes: int) -> Call:
    """XSalsa20-Poly1305 with a given key and nonce."""
    plaintext = bytes(size_bytes)
    return lambda: bindings.crypto_secretbox_easy(plaintext, _LONG_NONCE, _KEY)


def secretbox_opened(size_bytes: int) -> Call:
    """The reverse of `secretbox_sealed`."""
    box = bindings.crypto_secretbox_easy(bytes(size_bytes), _LONG_NONCE, _KEY)
    return lambda: bindings.crypto_secretbox_open_easy(box, _LONG_NONCE, _KEY)


def signature(size_bytes: int) -> Call:
    """Ed25519 signature of so many bytes."""
    message = bytes(size_bytes)
    return lambda: bindings.crypto_sign(message, _ED_SECRET)


def verification(size_bytes: int) -> Call:
    """Ed25519 verification of a signature of so many bytes."""
    signed = bindings.crypto_sign(bytes(size_bytes), _ED_SECRET)
    return lambda: bindings.crypto_sign_open(signed, _ED_PUBLIC)


def base_point_multiplied() -> Call:
    """A scalar times the base point of Ed25519, without clamping."""
    return lambda: bindings.crypto_scalarmult_ed25519_base_noclamp(_SCALAR)


def scalar_reduced() -> Call:
    """64 bytes modulo the group order."""
    wide = bytes(range(64))
    return lambda: bindings.crypto_core_ed25519_scalar_reduce(wide)


def scalars_multiplied() -> Call:
    """The product of two scalars."""
    return lambda: bindings.crypto_core_ed25519_scalar_mul(_SCALAR, _SCALAR)


def scalars_added() -> Call:
    """The sum of two scalars."""
    return lambda: bindings.crypto_core_ed25519_scalar_add(_SCALAR, _SCALAR)


def layer_key() -> Call:
    """HMAC-SHA256 under "LOKI", the key of an AES-GCM layer."""
    return lambda: hmac.digest(b"LOKI", _KEY, "sha256")


def gcm_sealed(size_bytes: int, *, new_key: bool = True) -> Call:
    """AES-256-GCM; `new_key`: the key is set up as well, as for the first use of a layer."""
    plaintext, prepared = bytes(size_bytes), AESGCM(_KEY)
    if new_key:
        return lambda: AESGCM(_KEY).encrypt(_NONCE, plaintext, None)
    return lambda: prepared.encrypt(_NONCE, plaintext, None)


def gcm_opened(size_bytes: int, *, new_key: bool = True) -> Call:
    """The reverse of `gcm_sealed`."""
    prepared = AESGCM(_KEY)
    sealed = prepared.encrypt(_NONCE, bytes(size_bytes), None)
    if new_key:
        return lambda: AESGCM(_KEY).decrypt(_NONCE, sealed, None)
    return lambda: prepared.decrypt(_NONCE, sealed, None)


def xchacha_sealed(size_bytes: int) -> Call:
    """XChaCha20-Poly1305 (IETF)."""
    plaintext = bytes(size_bytes)
    return lambda: bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, None, _LONG_NONCE, _KEY)


def xchacha_opened(size_bytes: int) -> Call:
    """The reverse of `xchacha_sealed`."""
    sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(bytes(size_bytes), None, _LONG_NONCE, _KEY)
    return lambda: bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, None, _LONG_NONCE, _KEY)


def cbc_sealed(size_bytes: int) -> Call:
    """AES-256-CBC with PKCS#7 padding."""
    plaintext, iv = bytes(size_bytes), bytes(16)

    def seal() -> bytes:
        padder, encryptor = PKCS7(128).padder(), Cipher(algorithms.AES(_KEY), modes.CBC(iv)).encryptor()
        return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()

    return seal


def cbc_opened(size_bytes: int) -> Call:
    """The reverse of `cbc_sealed`."""
    sealed, iv = cbc_sealed(size_bytes)(), bytes(16)
    assert type(sealed) is bytes

    def unseal() -> bytes:
        unpadder, decryptor = PKCS7(128).unpadder(), Cipher(algorithms.AES(_KEY), modes.CBC(iv)).decryptor()
        return unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()

    return unseal


def blake2b(size_bytes: int, digest_bytes: int = 32, *, key_bytes: int = 0) -> Call:
    """BLAKE2b of so many bytes."""
    message, key = bytes(size_bytes), bytes(key_bytes)
    return lambda: hashlib.blake2b(message, digest_size=digest_bytes, key=key).digest()


def sha256(size_bytes: int) -> Call:
    """SHA-256 of so many bytes."""
    message = bytes(size_bytes)
    return lambda: hashlib.sha256(message).digest()


def sha512(size_bytes: int) -> Call:
    """SHA-512 of so many bytes."""
    message = bytes(size_bytes)
    return lambda: hashlib.sha512(message).digest()


def hmac_sha256(size_bytes: int) -> Call:
    """HMAC-SHA256 of so many bytes."""
    message = bytes(size_bytes)
    return lambda: hmac.digest(_KEY, message, "sha256")


_CHUNK_BYTES = 32_768  # of a file in a secretstream, without tag (messages 6.2)


def stream_sealed(size_bytes: int) -> Call:
    """secretstream (XChaCha20-Poly1305) of so many bytes in chunks, with the set-up of its state."""
    return lambda: _sealed_chunks(size_bytes)


def stream_opened(size_bytes: int) -> Call:
    """The reverse of `stream_sealed`."""
    sealed = _sealed_chunks(size_bytes)

    def pull() -> object:
        state = _stream()
        return [bindings.crypto_secretstream_xchacha20poly1305_pull(state, chunk) for chunk in sealed]

    return pull


def _sealed_chunks(size_bytes: int) -> list[bytes]:
    state = _stream()
    sizes = [min(_CHUNK_BYTES, size_bytes - start) for start in range(0, size_bytes, _CHUNK_BYTES)]
    return [bindings.crypto_secretstream_xchacha20poly1305_push(state, bytes(size)) for size in sizes]


def _stream() -> bindings.crypto_secretstream_xchacha20poly1305_state:
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    # Also for writing: init_push would draw a header of its own.
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, _LONG_NONCE, _KEY)
    return state


def zstd_compressed(plain: bytes) -> Call:
    """One zstd frame at level 1, of these very bytes."""
    compressor = zstandard.ZstdCompressor(level=1)
    return lambda: compressor.compress(plain)


def zstd_expanded(plain: bytes) -> Call:
    """The reverse of `zstd_compressed`."""
    frame, decompressor = zstandard.ZstdCompressor(level=1).compress(plain), zstandard.ZstdDecompressor()
    return lambda: decompressor.decompressobj().decompress(frame)


def json_parsed(texts: Iterable[bytes]) -> Call:
    """Every one of these JSON texts parsed once."""
    kept = tuple(texts)
    return lambda: [orjson.loads(text) for text in kept]
