"""What clients of version 2 tell truth about, beside the fates of messages: names, and what their value is.

Each is an effect `(EVENT, name, ref, value)`; `ref` is the number of a message, or −1. Bytes are those of
what is stored or fetched, before base64, onion and replication, as protocol-v2 13 counts them.
"""

from __future__ import annotations

from typing import Final

# Sending a message: how it was sealed. Value: how long it waited for keys, µs.
SEALED_V1: Final = "sealed v1"
SEALED_PFS: Final = "sealed v2"
SEALED_FALLBACK: Final = "sealed v2 fallback"
# Sending a message: what was known of the recipient's keys. Value: 0.
KEYS: Final = "keys "  # followed by a value of `v2.key_cache.KeyState`
# A fetch of another account's keys ended. Value: bytes of the record; 0 for nothing valid; none heard: −1.
FETCHED: Final = "keys fetched"

# Receiving. `ref` is −1: a device does not know the number. Value: bytes of the message.
OPENED_V1: Final = "opened v1"
OPENED_PFS: Final = "opened v2"
OPENED_FALLBACK: Final = "opened v2 fallback"
REFUSED: Final = "refused"
LOCKED: Final = "locked"  # no key that this device holds opens it
UNLOCKED: Final = "unlocked"  # a key that came later did. Value: how long it was locked, µs

# The device group. Value: bytes of what was stored or read, unless said otherwise.
GROUP_PUSHED: Final = "group pushed"
RECORD_PUSHED: Final = "record pushed"
PUSH_FAILED: Final = "push failed"
REQUEST_PUSHED: Final = "link request pushed"
GROUP_READ: Final = "group "  # followed by a value of `v2.devices.Outcome`
GROUP_REFUSED: Final = "group refused"
REQUEST_READ: Final = "link request read"
RECORD_FOREIGN: Final = "record foreign"
ACCOUNT_ROTATED: Final = "account keys changed"  # value: age of the keys that were replaced, µs
FOLLOWED: Final = "account keys changed for a departure"  # beside that of the change itself. Value: 0
OVERTAKEN: Final = "account keys overtaken"  # those made here, by another device's. Value: their age, µs
DEVICE_ROTATED: Final = "device keys changed"  # value: 0
ADMITTED: Final = "device admitted"  # value: 0
REMOVED: Final = "device removed"  # told by who removes it. Value: 0
LEFT: Final = "left the group"  # told by who leaves. Value: 0
UNSTATED: Final = "removals left out"  # of a push, for want of room (hole H7). Value: how many
MEMBERSHIP: Final = "membership "  # followed by a value of `v2.devices.Membership`; value: 0
