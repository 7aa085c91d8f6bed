"""The laws of waits and sizes: log-normals, mixtures of two, Pareto; and what a clock sees in the middle.

A person's gaps spread over six orders of magnitude; a mixture of two log-normals (within a sitting,
between sittings) fits them, one does not (`fits.py`). All methods take uniform numbers as arguments, so a
law has no generator of its own and a draw can be addressed.

Looking at a random moment instead of after an event meets long gaps more often: the gap met has the
length-biased law, which for LN(mu, sigma) is LN(mu + sigma², sigma), and the time still to wait is a
uniform share of it. (Renewal theory: Cox, Renewal Theory, 1962, section 5.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from sessionsim.core.errors import InvalidInput

_STANDARD: Final = NormalDist()
# Uniform numbers are kept this far from 0 and 1, where a normal quantile is infinite: 6.4 standard
# deviations. Assumption, without influence below 10^10 draws.
_EDGE: Final = 1e-10


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A log-normal wait or size. Args: mu: mean of ln(seconds), or ln(bytes); sigma: its standard deviation,
    0 or more."""

    mu: float
    sigma: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mu) and math.isfinite(self.sigma) and self.sigma >= 0):
            raise InvalidInput(
                "log-normal law", (self.mu, self.sigma), "finite mu and sigma, sigma at least 0"
            )

    @classmethod
    def of_median(cls, median: float, sigma: float) -> LogNormal:
        """Give the law with this median, above 0, in seconds or bytes."""
        return cls(math.log(median), sigma)

    @classmethod
    def of_mean(cls, mean: float, sigma: float) -> LogNormal:
        """Give the law with this mean, above 0, in seconds or bytes."""
        return cls(math.log(mean) - sigma**2 / 2, sigma)

    @property
    def median_s(self) -> float:
        """Half of the waits are shorter than this, seconds."""
        return math.exp(self.mu)

    @property
    def mean_s(self) -> float:
        """The average wait, seconds."""
        return math.exp(self.mu + self.sigma**2 / 2)

    def scaled(self, factor: float) -> LogNormal:
        """Multiply every wait by a factor above 0; the shape stays."""
        return LogNormal(self.mu + math.log(factor), self.sigma)

    def length_biased(self) -> LogNormal:
        """Give the law of the gap that a random moment falls into."""
        return LogNormal(self.mu + self.sigma**2, self.sigma)

    def below(self, limit_s: float) -> float:
        """Probability that a wait is at most `limit_s` seconds (above 0)."""
        if self.sigma == 0:
            return float(math.log(limit_s) >= self.mu)
        return _STANDARD.cdf((math.log(limit_s) - self.mu) / self.sigma)

    def at(self, u: float, limit_s: float = math.inf) -> float:
        """Give the wait in seconds at a uniform number in [0, 1), of the law cut off above `limit_s`."""
        share = u if limit_s == math.inf else u * self.below(limit_s)
        wait_s = math.exp(self.mu + self.sigma * _STANDARD.inv_cdf(min(max(share, _EDGE), 1 - _EDGE)))
        return min(wait_s, limit_s)

    def mean_below_s(self, limit_s: float) -> float:
        """Average wait in seconds of the law cut off above `limit_s`; `limit_s` must be reachable."""
        return self.mean_s * self.length_biased().below(limit_s) / self.below(limit_s)


@dataclass(frozen=True, slots=True)
class Pareto:
    """A size of at least `smallest`, above x with probability (smallest / x) ** alpha; both above 0."""

    smallest: float
    alpha: float

    def __post_init__(self) -> None:
        if not (0 < self.smallest < math.inf and 0 < self.alpha < math.inf):
            raise InvalidInput("Pareto law", (self.smallest, self.alpha), "finite numbers above 0")

    def below(self, limit: float) -> float:
        """Probability that a size is at most `limit`."""
        return 1 - (self.smallest / limit) ** self.alpha if limit > self.smallest else 0.0

    def at(self, u: float, limit: float = math.inf) -> float:
        """Give the size at a uniform number in [0, 1), of the law cut off above `limit`."""
        share = u if limit == math.inf else u * self.below(limit)
        return float(min(self.smallest * (1 - share) ** (-1 / self.alpha), max(limit, self.smallest)))


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody converses.

    Args:
        own_gap: from one's last message to the next moment one writes unasked.
        answer_prob: probability that the first message of a turn is answered for its own sake, 0..1.
        answer_delay: from that message to the answer.
    """

    own_gap: Mixture
    answer_prob: float
    answer_delay: Mixture


@dataclass(frozen=True, slots=True)
class Mixture:
    """Two log-normals: a short one with weight `weight` in 0..1, a long one with the rest."""

    weight: float
    short: LogNormal
    long: LogNormal

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise InvalidInput("mixture weight", self.weight, "a number from 0 to 1")

    @property
    def mean_s(self) -> float:
        """The average wait, seconds."""
        return self.weight * self.short.mean_s + (1 - self.weight) * self.long.mean_s

    def below(self, limit_s: float) -> float:
        """Probability that a wait is at most `limit_s` seconds (above 0)."""
        return self.weight * self.short.below(limit_s) + (1 - self.weight) * self.long.below(limit_s)

    def with_long_scaled(self, factor: float) -> Mixture:
        """Shorten or stretch the time between sittings; what happens inside one stays as it is."""
        return Mixture(self.weight, self.short, self.long.scaled(factor))

    def with_mean(self, mean_s: float) -> Mixture:
        """Change the time between sittings until the mean is `mean_s` seconds, above 0.

        Where that is less than twice what the short part takes by itself, the short part is sped up too.
        """
        within_s = self.weight * self.short.mean_s
        between_s = (1 - self.weight) * self.long.mean_s
        if mean_s >= 2 * within_s:
            return self.with_long_scaled((mean_s - within_s) / between_s)
        return self._scaled(mean_s / (2 * within_s), within_s / between_s)

    def _scaled(self, factor: float, long_factor: float) -> Mixture:
        return Mixture(self.weight, self.short.scaled(factor), self.long.scaled(factor * long_factor))

    def part(self, u: float) -> tuple[LogNormal, bool]:
        """Choose a part at a uniform number in [0, 1); also say whether it is the long one."""
        return (self.short, False) if u < self.weight else (self.long, True)

    def residual(self, u_part: float, u_size: float, u_share: float) -> tuple[float, bool]:
        """Give what is left of the wait that a random moment falls into, and whether it is a long one."""
        short_share = self.weight * self.short.mean_s / self.mean_s
        law, is_long = (self.short, False) if u_part < short_share else (self.long, True)
        return u_share * law.length_biased().at(u_size), is_long
