"""What an observer of a run can see, and what it can deduce from that. Never told what really happened."""

from sessionsim.adversary._registry import VANTAGES, Vantage
from sessionsim.adversary.observation import observe
from sessionsim.adversary.vantages.coalition import join

__all__ = ["VANTAGES", "Vantage", "join", "observe"]
