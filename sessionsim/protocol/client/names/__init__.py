"""Looking up whose a name is."""

from sessionsim.protocol.client.names.part import NameLookups
from sessionsim.protocol.client.names.rules import PLATFORMS, NameRules

__all__ = ["PLATFORMS", "NameLookups", "NameRules"]
