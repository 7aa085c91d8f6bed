"""Least-squares disclosure: the profiles of all addresses at once (metrics 2c).

Plain disclosure takes all others for one background; here each address's profile is freed of the others',
which pays as soon as there are clearly more rounds than people.

Source: Pérez-González, Troncoso, Understanding Statistical Disclosure: A Least Squares Approach, PETS 2012;
metrics 2c.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._attacks import ATTACKS
from sessionsim.adversary.attacks._disclosure_attack import DisclosureAttack, Floats
from sessionsim.adversary.attacks._least_squares_disclosure import least_squares_disclosure
from sessionsim.adversary.attacks._rounds import RoundChoice, Rounds
from sessionsim.core.settings import setting


@dataclass(frozen=True, slots=True)
class Config(RoundChoice):
    """Rounds, and whether shares may be negative."""

    nonnegative: bool = setting(
        False, doc="Keep every estimated share at 0 or above.",
        source="metrics 2c: lstsq or nnls",
    )  # fmt: skip


@ATTACKS.register(config=Config, source="Pérez-González, Troncoso, PETS 2012; metrics 2c")
class LeastSquaresDisclosure(DisclosureAttack):
    """Contacts of all addresses by least squares."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._nonnegative = config.nonnegative

    def scores(self, rounds: Rounds) -> Floats:
        """Estimated shares of each address's messages."""
        shares = least_squares_disclosure(rounds.sent, rounds.received, nonnegative=self._nonnegative)
        return shares[rounds.asked]
