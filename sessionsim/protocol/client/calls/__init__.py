"""The media of calls: what a client sends beside the signalling messages, and to whom."""

from __future__ import annotations

from sessionsim.protocol.client.calls.part import CallMedia
from sessionsim.protocol.client.calls.rules import MediaRules

__all__ = ["CallMedia", "MediaRules"]
