"""A replicate small enough to count by hand: twelve nodes in two swarms, four accounts, ten seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import DTYPE, Cause
from sessionsim.core.ledger import Fact
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position
from sessionsim.core.truth import NAME_COLUMNS, Truth
from sessionsim.core.verdict import Labelled
from sessionsim.metrics import Replicate

SECOND = 1_000_000
IDS = tuple("05" + letter * 64 for letter in "abcd")
ADDRESSES = tuple(f"addr:244.0.{k}.1" for k in range(4))


def make_nodes(n: int = 12, swarms: int = 2) -> NodeList:
    return NodeList(
        ed25519=tuple(bytes([k]) * 32 for k in range(n)),
        x25519=tuple(bytes([k, 1]) * 16 for k in range(n)),
        swarm=tuple(k % swarms for k in range(n)),
        ip=tuple(0xF0000000 + k for k in range(n)),
        port=(22021,) * n,
    )


def make_messages(rows: list[dict[str, Any]]) -> dict[str, Any]:
    default = {
        "kind": "text", "sender": 0, "device": 0, "recipient": 1, "group": -1, "room": -1,
        "intent_us": 2 * SECOND, "body_bytes": 10, "sync_hash": "", "stored_us": -1, "sync_stored_us": -1,
        "delivered_us": -1, "attempts": 1, "outcome": "delivered", "reason": "", "measured": True,
    }  # fmt: skip
    full = [{"message": k, "hash": f"h{k}", **default, **row} for k, row in enumerate(rows)]
    table: dict[str, Any] = {name: [row[name] for row in full] for name in (full[0] if full else default)}
    text = ("hash", "sync_hash", "outcome", "kind", "reason")
    return {k: np.array(v, dtype=object if k in text else None) for k, v in table.items()}


def make_deliveries(rows: list[dict[str, Any]]) -> dict[str, Any]:
    default = {
        "message": 0, "account": 1, "endpoint": 13, "copy": "message", "delivered_us": -1,
        "outcome": "delivered", "reason": "", "overtaken": "", "repeated": 0, "repeat_cause": "",
    }  # fmt: skip
    text = ("copy", "outcome", "reason", "overtaken", "repeat_cause")
    full = [{**default, **row} for row in rows]
    return {
        name: np.array([row[name] for row in full], dtype=object if name in text else np.int64)
        for name in default
    }


def make_names(rows: list[tuple[int, str, str, str]]) -> dict[str, Any]:
    """Rows of account, kind, term and place."""
    kinds = (np.int32, object, object, object)
    return {
        name: np.array([row[at] for row in rows], dtype=kind)
        for at, (name, kind) in enumerate(zip(NAME_COLUMNS, kinds, strict=True))
    }


def make_records(rows: list[tuple[int, int, int, int, Cause]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rows of (t_sent_us, src, dst, wire_bytes, cause) to records and the table of transmissions."""
    table = np.zeros(len(rows), DTYPE)
    for k, (sent, src, dst, wire, _) in enumerate(rows):
        table[k]["t_sent_us"], table[k]["src"], table[k]["dst"], table[k]["wire_bytes"] = sent, src, dst, wire
    columns = {name: table[name] for name in DTYPE.names or () if name != "note"}
    causes = np.array([int(row[4]) for row in rows], dtype=np.uint8)
    return columns, {"row": np.arange(len(rows)), "cause": causes, "ref": np.full(len(rows), -1)}


@pytest.fixture
def make_replicate() -> Callable[..., Replicate]:
    def make(
        *,
        seed: int = 1,
        messages: list[dict[str, Any]] | None = None,
        rows: list[tuple[int, int, int, int, Cause]] | None = None,
        watched: frozenset[int] = frozenset(),
        positions: Mapping[str, Position] | None = None,
        ledgers: Mapping[str, tuple[Fact, ...]] | None = None,
        nodes: NodeList | None = None,
        further: int | None = None,
        verdicts: tuple[Labelled, ...] = (),
        deliveries: list[dict[str, Any]] | None = None,
        names: list[tuple[int, str, str, str]] | None = None,
    ) -> Replicate:
        """Make a replicate.

        `further`: account of a fifth device, a phone with the guards 8 and 9. Without `deliveries`, the
        recipients' first devices have what the messages say.
        """
        messages = messages if messages is not None else [{}]
        if deliveries is None:
            same = ("delivered_us", "outcome", "reason")
            deliveries = [
                {"message": k, "account": row.get("recipient", 1)} | {n: row[n] for n in same if n in row}
                for k, row in enumerate(messages)
            ]
        nodes = nodes or make_nodes()
        n = len(nodes)
        records, transmissions = make_records(rows or [])
        accounts = {
            "account": np.arange(4),
            "account_id": np.array(IDS, dtype=object),
            "swarm": np.array([f"{k % 2:016x}" for k in range(4)], dtype=object),
            "version": np.ones(4, dtype=np.int8),
            "twin": np.full(4, -1, dtype=np.int32),
        }
        devices = {
            "device": np.arange(4),
            "account": np.arange(4),
            "number": np.zeros(4, dtype=np.int64),
            "endpoint": np.arange(n, n + 4),
            "platform": np.array(["desktop", "desktop", "ios", "ios"], dtype=object),
            "guards": np.array(["0 1", "2 3", "4 5", "6 7"], dtype=object),
            "fast": np.zeros(4, dtype=bool),
        }
        if further is not None:
            fifth = {
                "device": 4, "account": further, "number": 1, "endpoint": n + 4, "platform": "ios",
                "guards": "8 9", "fast": False,
            }  # fmt: skip
            devices = {name: np.append(values, fifth[name]) for name, values in devices.items()}
        return Replicate(
            seed=seed,
            suite="fast",
            truth=Truth(
                accounts,
                devices,
                make_messages(messages),
                make_deliveries(deliveries),
                transmissions,
                {name: np.array([], dtype=object) for name in ("owner", "kind", "public", "secret")},
                SECOND,
                11 * SECOND,
                names=make_names(names or []),
            ),
            records=records,
            watched=watched,
            nodes=nodes,
            endpoints={
                "endpoint": np.arange(n + 5),
                "ip": np.array([*nodes.ip, *(0xF4000001 + (k << 8) for k in range(5))]),
            },
            positions=positions or {},
            ledgers=ledgers or {},
            verdicts=verdicts,
        )

    return make
