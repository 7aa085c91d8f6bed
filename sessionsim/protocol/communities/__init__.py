"""Communities (SOGS): signed requests, posts, and the server that keeps them (messages 3.3, 8)."""

from __future__ import annotations

from sessionsim.protocol.communities.rules import CommunityRules
from sessionsim.protocol.communities.server import CommunityServer

__all__ = ["CommunityRules", "CommunityServer"]
