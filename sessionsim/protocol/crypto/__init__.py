"""Crypto suites. `suite_named` is the way to get one; nothing else in the protocol names a suite."""

from __future__ import annotations

from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.crypto.fast import FastSuite
from sessionsim.protocol.crypto.seeded import SeededSuite
from sessionsim.protocol.crypto.sodium import SodiumSuite
from sessionsim.protocol.crypto.suite import KemPair, KeyPair, ScalarKey, Suite

SUITES = ("fast", "sodium")


def suite_named(name: str, *, memo: bool = True) -> Suite:
    """Make a suite for a run: the same inputs give the same bytes.

    Args:
        name: `sodium` or `fast`.
        memo: see `SodiumSuite`.

    Raises:
        InvalidInput: another name.
    """
    if name == "sodium":
        return SeededSuite(memo=memo)
    if name == "fast":
        return FastSuite(memo=memo)
    raise InvalidInput("suite", name, " or ".join(SUITES))


__all__ = ["SUITES", "FastSuite", "KemPair", "KeyPair", "ScalarKey", "SodiumSuite", "Suite", "suite_named"]
