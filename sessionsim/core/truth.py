"""What really happened in a run: the answer sheet. Closed to `adversary`, enforced by the rooms test.

Tables, each a dict of equally long columns (numpy arrays; text as object arrays):

accounts       account (0..n-1), account_id (66 hex), swarm (16 hex), version (of the protocol, 1 or 2), twin
               (the account that has the same wishes under the other version; -1: none), utc_offset_h (hours
               ahead of UTC where its person lives; NaN where people live by no clock)
devices        device (0..d-1: first the first devices of all accounts, in their order), account, number
               (of the account's devices, from 0), endpoint, platform, guards (text "12 907": all it had),
               fetched_again (how often it got a message that it had already from another member of the
               swarm), fast (bool: told of messages by its push platform)
messages       message (0..m-1), kind (of `core.intents`; a call is several), sender (account), device (of
               the sender, by its number), recipient (account; -1 in groups and rooms, for changes of configs
               and refusals, which are done once the own swarm holds them, and for look-ups of names), group,
               room (-1 elsewhere), intent_us, body_bytes, hash, sync_hash (text, empty if never made),
               stored_us, sync_stored_us, delivered_us (by the first device; -1: not seen), attempts, outcome
               (one of OUTCOMES: the worst of its readers' accounts), reason (text, empty if delivered),
               measured (bool: intent inside the measured phase)
deliveries     one row for each device that a message was for: message, account, endpoint, copy ("message",
               "sync" for another device of the writer, "beyond" for who came later), delivered_us (-1: not
               seen), outcome, reason, overtaken (why a later message of the same writer was shown first;
               empty if none was), repeated (how often it was shown once more), repeat_cause (text)
transmissions  row, cause (core.columns.Cause), ref (message number or -1)
keys           owner ("node:17" | "account:05…" | "device:1266", by its endpoint), kind ("x25519" |
               "ed25519" | "account seed" | "device seed", the two of version 2), public (hex; of a seed the
               X25519 key that follows from it), secret (hex), made_us (when its owner had a passing key
               first, 0 for before the run; -1: it lasts), gone_us (when a passing key was forgotten; -1: not
               until the end)
names          account, kind, term, place: what else is true of accounts, in words of the ledger:
                 "country" country:DE of a device, place its endpoint      "token" member:… in a group, place
                 "member", "admin" of group:03… (ever, in the run)           group:03…
                 "blinded" blinded:15… in a community, place one of its rooms
                 "zone" zone:UTC+2, what clocks show where a device is, place its endpoint; none in a country
                 of several zones, where the country leaves it open
events         t_us, endpoint, what (a name; the part that has it says what it means), message (-1: none),
               value: what happened beside the fates of messages, in the order in which it did
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sessionsim.core.view import Table

# What becomes of a message, or of it on one device. See `network.accounts_book`.
OUTCOMES = ("delivered", "waiting", "expired", "lost", "refused")
BLOCKED = "its reader has blocked its writer"  # why something is refused that came in and was dropped unread

ACCOUNT_COLUMNS = ("account", "account_id", "swarm", "version", "twin", "utc_offset_h")
DEVICE_COLUMNS = ("device", "account", "number", "endpoint", "platform", "guards", "fetched_again", "fast")
MESSAGE_COLUMNS = (
    "message", "kind", "sender", "device", "recipient", "group", "room", "intent_us", "body_bytes", "hash",
    "sync_hash", "stored_us", "sync_stored_us", "delivered_us", "attempts", "outcome", "reason", "measured",
)  # fmt: skip
DELIVERY_COLUMNS = (
    "message", "account", "endpoint", "copy", "delivered_us", "outcome", "reason", "overtaken", "repeated",
    "repeat_cause",
)  # fmt: skip
TRANSMISSION_COLUMNS = ("row", "cause", "ref")
NAME_COLUMNS = ("account", "kind", "term", "place")
EVENT_COLUMNS = ("t_us", "endpoint", "what", "message", "value")
KEY_COLUMNS = ("owner", "kind", "public", "secret", "made_us", "gone_us")


def no_events() -> Table:
    """Give an events table of no rows."""
    kinds = (np.int64, np.int32, object, np.int64, np.int64)
    return {name: np.array([], dtype=kind) for name, kind in zip(EVENT_COLUMNS, kinds, strict=True)}


def no_names() -> Table:
    """Give a table of names of no rows."""
    kinds = (np.int32, object, object, object)
    return {name: np.array([], dtype=kind) for name, kind in zip(NAME_COLUMNS, kinds, strict=True)}


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The truth tables of one replicate, and the measured phase [start_us, end_us)."""

    accounts: Table
    devices: Table
    messages: Table
    deliveries: Table
    transmissions: Table
    keys: Table
    start_us: int
    end_us: int
    events: Table = field(default_factory=no_events)
    names: Table = field(default_factory=no_names)
