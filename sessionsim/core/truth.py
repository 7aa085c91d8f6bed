"""What really happened in a run: the answer sheet. Closed to `adversary`, enforced by the rooms test.

Tables, each a dict of equally long columns (numpy arrays; text as object arrays):

accounts       account (0..n-1), account_id (66 hex), swarm (16 hex), version (of the protocol, 1 or 2), twin
               (the account that has the same wishes under the other version; -1: none)
devices        device (0..d-1: first the first devices of all accounts, in their order), account, number
               (of the account's devices, from 0), endpoint, platform, guards (text: "12 907")
messages       message (0..m-1), sender, recipient (account numbers), intent_us, body_bytes, hash, sync_hash
               (text, empty if never made), stored_us, sync_stored_us, delivered_us (-1: not seen), attempts,
               outcome ("delivered", "stored", "failed", "censored"), measured (bool: intent inside the
               measured phase)
transmissions  row, cause (core.columns.Cause), ref (message number or -1)
keys           owner ("node:17" | "account:05…" | "device:1266", by its endpoint), kind ("x25519" |
               "ed25519"), public (hex), secret (hex), made_us (when a passing key came to be; -1: it lasts)
events         t_us, endpoint, what (a name; the part that has it says what it means), message (-1: none),
               value: what happened beside the fates of messages, in the order in which it did
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sessionsim.core.view import Table

ACCOUNT_COLUMNS = ("account", "account_id", "swarm", "version", "twin")
DEVICE_COLUMNS = ("device", "account", "number", "endpoint", "platform", "guards")
MESSAGE_COLUMNS = (
    "message", "sender", "recipient", "intent_us", "body_bytes", "hash", "sync_hash", "stored_us",
    "sync_stored_us", "delivered_us", "attempts", "outcome", "measured",
)  # fmt: skip
TRANSMISSION_COLUMNS = ("row", "cause", "ref")
EVENT_COLUMNS = ("t_us", "endpoint", "what", "message", "value")
KEY_COLUMNS = ("owner", "kind", "public", "secret", "made_us")


def no_events() -> Table:
    """Give an events table of no rows."""
    kinds = (np.int64, np.int32, object, np.int64, np.int64)
    return {name: np.array([], dtype=kind) for name, kind in zip(EVENT_COLUMNS, kinds, strict=True)}


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The truth tables of one replicate, and the measured phase [start_us, end_us)."""

    accounts: Table
    devices: Table
    messages: Table
    transmissions: Table
    keys: Table
    start_us: int
    end_us: int
    events: Table = field(default_factory=no_events)
