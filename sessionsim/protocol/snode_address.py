"""The address of a service node: its Ed25519 key in z-base-32 (transport 1.2).

Five bits a letter, most significant first; 32 bytes become 52 letters, the last of which carries one bit.
Source: libsession-util and oxenc write such addresses; z-base-32 is Zooko's human-oriented alphabet.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import InvalidInput, LocalProtocolError

ALPHABET: Final = "ybndrfg8ejkmcpqxot1uwisza345h769"  # Source: z-base-32; known answers ids_from_seed
SUFFIX: Final = ".snode"  # Source: known answers ids_from_seed
KEY_BYTES: Final = 32
LETTERS: Final = 52  # 256 bits and 4 that are zero, five a letter
_PAD_BITS: Final = LETTERS * 5 - KEY_BYTES * 8
_VALUES: Final = {letter: value for value, letter in enumerate(ALPHABET)}


def snode_address(public: bytes) -> str:
    """Write the address of a node.

    Args:
        public: Ed25519 key of the node, 32 bytes.

    Raises:
        LocalProtocolError: not 32 bytes.
    Source: known answers ids_from_seed.
    """
    if len(public) != KEY_BYTES:
        raise LocalProtocolError(f"a node's key has {KEY_BYTES} bytes, not {len(public)}")
    bits = int.from_bytes(public, "big") << _PAD_BITS
    return "".join(ALPHABET[bits >> 5 * place & 31] for place in range(LETTERS - 1, -1, -1)) + SUFFIX


def public_of_snode_address(address: str) -> bytes:
    """Read a node's Ed25519 key from its address, which has exactly one spelling.

    Raises:
        InvalidInput: wrong length or ending, a letter outside the alphabet, or a last letter that carries
            more than one bit.
    """
    allowed = f"{LETTERS} z-base-32 letters, the last one y or o, and {SUFFIX}"
    letters = address.removesuffix(SUFFIX)
    if len(letters) != LETTERS or len(address) != LETTERS + len(SUFFIX):
        raise InvalidInput("node address", address, allowed)
    bits = 0
    for letter in letters:
        if letter not in _VALUES:
            raise InvalidInput("node address", address, allowed)
        bits = bits << 5 | _VALUES[letter]
    if bits & ((1 << _PAD_BITS) - 1):
        raise InvalidInput("node address", address, allowed)
    return (bits >> _PAD_BITS).to_bytes(KEY_BYTES, "big")
