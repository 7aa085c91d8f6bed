"""Cross-correlation: the address whose rhythm an account's inbox follows, some delay apart (2b(ii)).

Source: Levine, Reiter, Wang, Wright, FC 2004; Shmatikov, Wang, ESORICS 2006; metrics 2b(ii).
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.adversary._attacks import ATTACKS
from sessionsim.adversary.attacks._cross_correlation import binned, cross_correlation
from sessionsim.adversary.attacks._flow_attack import Floats, FlowAttack, FlowChoice
from sessionsim.adversary.attacks._flows import Flows
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S


@dataclass(frozen=True, slots=True)
class Config(FlowChoice):
    """Bins and lags."""

    bin_us: int = setting(
        500_000, unit="us", doc="Length of a bin.",
        source="Assumption: about the spread of delays", low=1_000, high=86_400 * US_PER_S,
    )  # fmt: skip
    lags: int = setting(
        4, doc="By how many bins at most the inbox may be late.",
        source="Assumption: delays of two seconds", low=0, high=10_000,
    )  # fmt: skip


@ATTACKS.register(
    config=Config, source="Levine et al., FC 2004; Shmatikov, Wang, ESORICS 2006; metrics 2b(ii)"
)
class CrossCorrelation(FlowAttack):
    """Address of an account by the largest correlation of binned counts over lags."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._bin_s, self._lags = config.bin_us / US_PER_S, config.lags

    def scores(self, accounts: Flows, addresses: Flows) -> Floats:
        """Largest Pearson correlation over the lags, -1..1."""
        horizon = max(float(times.max(initial=0.0)) for times in (*accounts.times_s, *addresses.times_s))
        sent, seen = (binned(flows.times_s, self._bin_s, horizon + 1e-9) for flows in (addresses, accounts))
        lags = range(max(1, min(self._lags + 1, sent.shape[1] - 2)))
        return cross_correlation(sent, seen, list(lags)).T
