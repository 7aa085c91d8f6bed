"""Encapsulation of ML-KEM-768 from given coins (FIPS 203, algorithms 14 and 17), real.

The library behind `mlkem` draws the coins of an encapsulation itself, so that no two runs of one seed would
have the same bytes. Here the coins are an argument: what comes out is, bit for bit, what the library would
have made with them, and the library opens it. All numbers are whole and below 2^53, so floats hold them
exactly and the same bytes come out on every processor. Not in constant time: it is for simulated secrets.

Polynomials are rows of 256 coefficients below 3329; "hat" ones are in the domain of the number-theoretic
transform, in pairs (c0 + c1·X modulo X² − γ). The transform is a product with a fixed matrix.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto.mlkem import COEFFICIENTS_BYTES, COINS_BYTES, MODULUS, PUBLIC_BYTES

Ints = npt.NDArray[np.int64]

_N: Final = 256  # coefficients of a polynomial. Source: FIPS 203 section 2.3
_K: Final = 3  # polynomials of a vector. Source: FIPS 203 table 2
_ZETA: Final = 17  # a 256th root of unity. Source: FIPS 203 section 4.3
_U_BITS: Final = 10  # of a compressed coefficient of u. Source: FIPS 203 table 2
_V_BITS: Final = 4  # and of v. Source: FIPS 203 table 2
_DRAWN_BYTES: Final = (
    672  # Assumption: 448 numbers, of which 364 are kept in the mean; more where too few are
)
_CACHED: Final = 2048  # Assumption: keys that a process of a run writes to; some 20 kB each


def _reversed(number: int) -> int:
    """Reverse the order of 7 bits."""
    return int(f"{number:07b}"[::-1], 2)


def _transforms() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], Ints]:
    """Give the matrices of the transform and its inverse, and γ of each of the 128 pairs."""
    gammas = np.array([pow(_ZETA, 2 * _reversed(i) + 1, MODULUS) for i in range(_N // 2)], np.int64)
    forward = np.zeros((_N, _N), np.float64)
    inverse = np.zeros((_N, _N), np.float64)
    for i, gamma in enumerate(gammas.tolist()):
        for j in range(_N // 2):
            # f mod (X² − γ): an even power 2j is γ^j, an odd one γ^j·X.
            forward[2 * i, 2 * j] = forward[2 * i + 1, 2 * j + 1] = pow(gamma, j, MODULUS)
            back = pow(gamma, -j, MODULUS) * pow(_N // 2, -1, MODULUS) % MODULUS
            inverse[2 * j, 2 * i] = inverse[2 * j + 1, 2 * i + 1] = back
    return forward.T.copy(), inverse.T.copy(), gammas


_FORWARD, _INVERSE, _GAMMAS = _transforms()


class _Prepared(NamedTuple):
    """What follows from a key alone.

    Args:
        digest: SHA3-256 of the key.
        even, odd, turned: coefficients of the rows of the transposed matrix and of the key's vector, of
            shape (4, 3, 128): those of 1, of X, and the latter times γ.
    """

    digest: bytes
    even: npt.NDArray[np.int32]
    odd: npt.NDArray[np.int32]
    turned: npt.NDArray[np.int32]


def _twelve_bits(raw: bytes) -> Ints:
    """Read numbers of 12 bits."""
    three = np.frombuffer(raw, np.uint8).astype(np.int64).reshape(-1, 3)
    low = three[:, 0] | (three[:, 1] & 15) << 8
    return np.stack([low, three[:, 1] >> 4 | three[:, 2] << 4], 1).reshape(-1)


def _uniform(seed: bytes) -> Ints:
    """Draw a polynomial in the domain of the transform (FIPS 203, algorithm 7)."""
    size = _DRAWN_BYTES
    while True:
        drawn = _twelve_bits(hashlib.shake_128(seed).digest(size))
        kept = drawn[drawn < MODULUS]
        if len(kept) >= _N:
            return kept[:_N]
        size += 168  # another block; a multiple of three bytes


@lru_cache(maxsize=_CACHED)
def _prepared(public: bytes) -> _Prepared:
    if len(public) != PUBLIC_BYTES:
        raise CannotOpen("not an ML-KEM-768 public key")
    vector, rho = _twelve_bits(public[:COEFFICIENTS_BYTES]), public[COEFFICIENTS_BYTES:]
    if vector.max() >= MODULUS:
        raise CannotOpen("not an ML-KEM-768 public key")
    # Row i of the transposed matrix is its column i: seeds end in the number of column, then of row.
    columns = [_uniform(rho + bytes((i, j))) for i in range(_K) for j in range(_K)]
    pairs = np.concatenate([*columns, vector]).reshape(_K + 1, _K, _N // 2, 2)
    # Sums of six products of two coefficients stay below 2^31.
    parts = (pairs[..., 0], pairs[..., 1], pairs[..., 1] * _GAMMAS % MODULUS)
    return _Prepared(hashlib.sha3_256(public).digest(), *(part.astype(np.int32) for part in parts))


def _noise(seed: bytes, count: int) -> Ints:
    """Draw small polynomials, of shape (count, 256) (FIPS 203, algorithm 8, η = 2)."""
    drawn = b"".join(hashlib.shake_256(seed + bytes((k,))).digest(_N // 2) for k in range(count))
    drawn_bits = np.unpackbits(np.frombuffer(drawn, np.uint8), bitorder="little")
    bits: Ints = drawn_bits.reshape(count, _N, 4).astype(np.int64)
    return bits[..., 0] + bits[..., 1] - bits[..., 2] - bits[..., 3]


def _compressed(polynomials: Ints, n_bits: int) -> bytes:
    """Round coefficients to so many bits and write them (FIPS 203, algorithms 5 and 4.7)."""
    rounded = ((polynomials << n_bits + 1) + MODULUS) // (2 * MODULUS) & (1 << n_bits) - 1
    bits = rounded.reshape(-1, 1) >> np.arange(n_bits) & 1
    return np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()


def encapsulate(public: bytes, coins: bytes) -> tuple[bytes, bytes]:
    """Make a secret for the holder of a key.

    Args:
        public: 1184 bytes.
        coins: 32 bytes, which nobody else may know.

    Returns:
        The secret (32 bytes) and its ciphertext (1088 bytes).

    Raises:
        CannotOpen: not a public key.
        LocalProtocolError: the coins have another length.
    """
    if len(coins) != COINS_BYTES:
        raise LocalProtocolError(f"an encapsulation takes {COINS_BYTES} random bytes")
    key = _prepared(public)
    drawn = hashlib.sha3_512(coins + key.digest).digest()
    small = _noise(drawn[32:], 2 * _K + 1)
    hidden = ((small[:_K] @ _FORWARD).astype(np.int64) % MODULUS).astype(np.int32)
    even, odd = hidden[:, ::2], hidden[:, 1::2]
    product = np.empty((_K + 1, _N), np.float64)
    product[:, ::2] = (key.even * even + key.turned * odd).sum(1) % MODULUS
    product[:, 1::2] = (key.even * odd + key.odd * even).sum(1) % MODULUS
    sums = (product @ _INVERSE).astype(np.int64) + small[_K:]
    message = np.unpackbits(np.frombuffer(coins, np.uint8), bitorder="little")
    sums[_K] += message.astype(np.int64) * ((MODULUS + 1) // 2)
    sums %= MODULUS
    return drawn[:32], _compressed(sums[:_K], _U_BITS) + _compressed(sums[_K], _V_BITS)
