"""The real suite as runs use it: the randomness of an encapsulation is given to it, as all randomness is.

The library behind `SodiumSuite` draws those 32 bytes itself, so that ciphertexts, the hashes of what is
stored, and every table that names them would differ between two runs of one seed. `drawn_kem` makes from
given bytes exactly what the library makes from its own; opening and key pairs are the library's.
"""

from __future__ import annotations

from sessionsim.protocol.crypto import drawn_kem
from sessionsim.protocol.crypto.sodium import SodiumSuite


class SeededSuite(SodiumSuite):
    """Real cryptography, reproducible. Args: as of `SodiumSuite`."""

    def kem_encapsulate(self, public: bytes, coins: bytes) -> tuple[bytes, bytes]:
        return drawn_kem.encapsulate(public, coins)
