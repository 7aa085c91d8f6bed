"""ML-KEM with recorded coins, which the product's library cannot be given.

kyber-py, a package of the tests, encapsulates with given coins; slow, and never used by the product. Without
it the ciphertext of a case is taken as found and decapsulated, so that everything built on it is judged, and
`limit` says what is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final

from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.crypto import KemPair, SodiumSuite

_LIMIT: Final = (
    "kyber-py is not installed, so ML-KEM ciphertexts are taken as found and opened, not made again from "
    "their coins"
)


@cache
def _ml_kem() -> Any:
    try:
        from kyber_py.ml_kem import ML_KEM_768  # type: ignore[import-untyped]
    except ImportError:
        return None
    return ML_KEM_768


def limit() -> str:
    """Say what cannot be judged here; empty if everything can."""
    return "" if _ml_kem() is not None else _LIMIT


def expanded_key(pair: KemPair) -> bytes | None:
    """Give the 2400-byte decapsulation key of FIPS 203; None without kyber-py."""
    made = _ml_kem()
    return None if made is None else bytes(made.key_derive(pair.secret)[1])


@lru_cache(maxsize=4096)  # Assumption: encapsulations of one file of cases
def _encapsulated(public: bytes, coins: bytes) -> tuple[bytes, bytes]:
    shared, ciphertext = _ml_kem()._encaps_internal(public, coins)
    return bytes(shared), bytes(ciphertext)


class CoinsSuite(SodiumSuite):
    """The real suite with encapsulation from coins.

    Args:
        found: by public key, the pair and the ciphertext to take where kyber-py is missing.
    """

    def __init__(self, found: Mapping[bytes, tuple[KemPair, bytes]] | None = None) -> None:
        super().__init__(memo=False)
        self._found = found or {}

    def kem_encapsulate(self, public: bytes, coins: bytes) -> tuple[bytes, bytes]:
        if _ml_kem() is not None:
            return _encapsulated(public, coins)
        if public not in self._found:
            raise InvalidInput("vectors --emit", "no kyber-py", "a Python with the package kyber-py")
        pair, ciphertext = self._found[public]
        return self.kem_decapsulate(pair, ciphertext), ciphertext
