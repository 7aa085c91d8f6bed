"""What clients tell each other beside texts: typing, receipts, reactions, deletions, calls."""

from __future__ import annotations

from sessionsim.protocol.client.signals.part import Signals
from sessionsim.protocol.client.signals.rules import COPIED, PLATFORMS, SignalRules

__all__ = ["COPIED", "PLATFORMS", "SignalRules", "Signals"]
