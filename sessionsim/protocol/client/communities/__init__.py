"""What a client does in communities: polls the servers of its rooms, posts, and shows what others post."""

from __future__ import annotations

from sessionsim.protocol.client.communities.part import Communities
from sessionsim.protocol.client.communities.standing import Standing

__all__ = ["Communities", "Standing"]
