"""Fast mode: what a device does to be told of messages by its push platform, and when it is told."""

from __future__ import annotations

from sessionsim.protocol.client.push.groups import GroupPushes
from sessionsim.protocol.client.push.part import PushListener
from sessionsim.protocol.client.push.rules import PLATFORMS, PushListenerRules

__all__ = ["PLATFORMS", "GroupPushes", "PushListener", "PushListenerRules"]
