"""The client: one machine for all platforms, its rules, and the parts that carry out what people want.

`machine.Client` routes inputs and keeps one alarm; `parts.Part` says what a part is. Polling of an own inbox
is `polling`, sending texts `outbox`; onion requests are `requests` over `paths`.
"""

from __future__ import annotations

from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.parts import Part
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, PLATFORMS, ClientRules

__all__ = ["ANDROID", "DESKTOP", "IOS", "PLATFORMS", "Client", "ClientRules", "Part"]
