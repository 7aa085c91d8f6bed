"""What an observer of a run can see, and what it can deduce from that. Never told what really happened."""

from sessionsim.adversary._attacks import ATTACKS, Attack, Need, lacking
from sessionsim.adversary._registry import VANTAGES, Vantage
from sessionsim.adversary.closure import Closure
from sessionsim.adversary.deduction import deduce, facts_of
from sessionsim.adversary.exchanges import Exchange, exchanges
from sessionsim.adversary.ledgers import claims, emergent
from sessionsim.adversary.observation import observe
from sessionsim.adversary.transcript import Transcript
from sessionsim.adversary.vantages.coalition import join

__all__ = [
    "ATTACKS", "VANTAGES", "Attack", "Closure", "Exchange", "Need", "Transcript", "Vantage", "claims",
    "deduce", "emergent", "exchanges", "facts_of", "join", "lacking", "observe",
]  # fmt: skip
