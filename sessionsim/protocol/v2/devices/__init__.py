"""Device groups: what the devices of an account share, and who is one of them (protocol-v2 8, 9).

On the wire: `record`, `payload`, `slots`, `group_message`, `group_reading`, `group_id`, `kicked`;
`link_request`, `emoji`. What one device knows: `roster`, `own_keys`, `seen_groups`, `requests`, `state`. What
happens: `establishing`, `linking`, `merging`, `pushing`, `leaving`, `membership`; together `device_group`.
"""

from __future__ import annotations

from sessionsim.protocol.v2.devices.device_group import DeviceGroup, Rotated
from sessionsim.protocol.v2.devices.membership import Membership
from sessionsim.protocol.v2.devices.merging import Outcome, Taken
from sessionsim.protocol.v2.devices.pushing import Departure, Needs, Push
from sessionsim.protocol.v2.devices.record import DeviceRecord, State
from sessionsim.protocol.v2.devices.requests import IncomingRequest, OwnRequest
from sessionsim.protocol.v2.devices.state import About

__all__ = [
    "About",
    "Departure",
    "DeviceGroup",
    "DeviceRecord",
    "IncomingRequest",
    "Membership",
    "Needs",
    "Outcome",
    "OwnRequest",
    "Push",
    "Rotated",
    "State",
    "Taken",
]
