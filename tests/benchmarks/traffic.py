"""Traffic for benchmarks: events at a constant rate of everything that attacks look at, and a log of acts.

A third of the events are requests that carry messages, and a third are stores and polls each; answers, files,
signed requests, deliveries of pushes and facts come with them. People are paired off: 2k and 2k + 1 talk.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks import _events, _server_events
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.verdict import Example, Question
from sessionsim.core.view import ACTION_COLUMNS, AT_ENDPOINT, Table, View
from tests.adversary.attacks.traffic import N_NODES, account_of, address, hash_of, view_of

S: Final = 1_000_000
SLOT_S: Final = 8.0
STRUCK: Final = 20  # clients and accounts that an active adversary works on

Ints = npt.NDArray[np.int64]


def traffic(n: int, people: int) -> Example:
    """Make about n events among some people, with the labels of a training seed."""
    rng = np.random.default_rng(n)
    k = n // 3
    span = k * 0.5
    sent, polled = np.sort(rng.uniform(0, span, k)), np.sort(rng.uniform(0, span, k))
    client, poller = rng.integers(people, size=k), rng.integers(people, size=k)
    # Everybody comes back once after half of the watch, so that there are returns to be found.
    away = (poller % 5 == 0) & (polled > 0.2 * span) & (polled < 0.7 * span)
    poller = np.where(away, poller + 1, poller) % people
    stored = [
        (int((t + d) * S), int(c ^ (i & 1)) % people, i, 500, True)
        for i, (t, c, d) in enumerate(zip(sent, client, rng.gamma(4, 0.1, k), strict=True))
    ]
    retrieved = [
        (int((t + 0.3) * S), int(c), 3, f"name:{i}")
        for i, (t, c) in enumerate(zip(polled, poller, strict=True))
    ]
    view = _with_more(*_links(sent, client, polled, poller), stored, retrieved)
    files = [
        (int((t + late) * S), f"file:{i}", 1900, late < 1)
        for i, t in enumerate(sent[: k // 10])
        for late in (0.5, 60.0)
    ]
    named = [
        (int((t + 0.2) * S), one.format(int(c)), "account:03")
        for t, c in zip(polled, poller, strict=True)
        for one in ("blinded:15{:02x}", "member:{}", "account:05{}")
    ]
    moved, signed = _server_events.transfers_of(files), _server_events.signatures_of(named)
    _server_events.remember(view, moved, signed)
    view = dataclasses.replace(view, actions=_acts(span, people, polled, poller))
    return Example(view, _facts(sent, client, people), _labels(view, client, people), _carried(view))


def _links(sent: Any, client: Ints, polled: Any, poller: Ints) -> tuple[Any, Ints, Ints]:
    """Give times in s, clients and sizes of all requests, in order of time."""
    when = np.r_[sent, polled]
    order = np.argsort(when, kind="stable")
    wire = np.r_[np.full(len(sent), 2000), np.full(len(polled), 3000)]
    return when[order], np.r_[client, poller][order], wire[order]


def _with_more(when: Any, client: Ints, wire: Ints, stored: list[Any], retrieved: list[Any]) -> View:
    """Make the view: requests, an answer to each, a push for each store, and each tenth poll seen twice."""
    links = view_of((when * S).astype(int), client, wire, stored=stored, retrieved=retrieved)
    seen = len(when)
    told, again = np.array([(t, c) for t, c, *_ in stored]), np.array([t for t, *_ in retrieved[::10]])
    blocks: list[dict[str, Any]] = [
        {"t_us": (when * S).astype(int) + 150_000, "src": 0, "dst": N_NODES + client, "direction": 1,
         "wire_bytes": 400 + np.where(np.arange(seen) % 3, 0, 900)},
        {"t_us": told[:, 0] + 200_000, "src": 1, "dst": N_NODES + told[:, 1], "direction": 0,
         "head": HEAD_CODE["push_delivery"], "place": AT_ENDPOINT},
    ]  # fmt: skip
    for late in (0, 1_000_000):
        blocks.append({
            "t_us": again + late, "src": 1, "dst": 3, "direction": 0, "place": AT_ENDPOINT,
            "head": HEAD_CODE["sn.onion_request"], "blob": np.arange(len(again)),
        })  # fmt: skip
    rows = links.rows
    for block in blocks:
        many = len(block["t_us"])
        more = {name: np.full(many, -1, dtype=np.int64) for name in rows}
        more |= {name: np.broadcast_to(np.asarray(value), (many,)) for name, value in block.items()}
        rows = {name: np.concatenate([rows[name], more[name]]) for name in rows}
    order = np.argsort(rows["t_us"], kind="stable")
    rows = {name: np.asarray(column)[order] for name, column in rows.items()}
    rows["row"] = np.arange(len(order))
    view = dataclasses.replace(links, rows=rows)
    _events.remember(view, _events.stores(links), _events.retrieves(links))
    return view


def _acts(span: float, people: int, polled: Any, poller: Ints) -> Table:
    """Say what the observer did: in slots of a random half of the watch to each of those it works on."""
    rng, rows = np.random.default_rng(len(polled)), list[dict[str, Any]]()
    slots, struck = max(2, int(span // SLOT_S)), min(STRUCK, people)

    def act(kind: str, what: str, t_s: float, until_s: float, **more: Any) -> None:
        own = {"name": kind, "kind": kind, "what": what, "t_us": int(t_s * S), "until_us": int(until_s * S)}
        rows.append(
            {**dict.fromkeys(("account", "token", "asked"), ""), "place": 3, "client": -1, **own, **more}
        )

    for one in range(struck):
        account = account_of(one).removeprefix("account:")
        for slot in np.sort(rng.permutation(slots)[: slots // 2]).tolist():
            begin = slot * SLOT_S
            for kind in ("delay", "drop", "isolate", "tag"):
                act(kind, "slot", begin, begin + SLOT_S, client=N_NODES + one)
            for kind in ("probe", "flood"):
                act(kind, "slot", begin, begin + SLOT_S, account=account)
                act(kind, "stored", begin, begin, account=account)
            for kind, what in (
                ("delay", "held"), ("drop", "dropped"), ("isolate", "held"), ("tag", "tagged"),
                ("replay", "copied"),
            ):  # fmt: skip
                act(kind, what, begin + 1, begin + 2, client=N_NODES + one)
    for i, (t, c) in enumerate(zip(polled.tolist(), poller.tolist(), strict=True)):
        # Each name is told at one poll and repeated at a later one of the same number.
        account = account_of(int(c)).removeprefix("account:")
        act("equivocate", "told", t - 1, t - 1, account=account, token=f"name:{i}")
    rows.sort(key=lambda row: int(row["t_us"]))
    return {name: np.array([row[name] for row in rows]) for name in ACTION_COLUMNS}


def _facts(sent: Any, client: Ints, people: int) -> tuple[Fact, ...]:
    """Say which messages of the first client's contact the observer could open."""
    own = Fact("eve", Relation.ACTS_FOR, address(0), account_of(0), 0, ("1 reads",))
    mine = np.flatnonzero(np.isin(client, np.arange(1, min(people, 20))))
    told = [
        Fact(
            "eve", Relation.WRITTEN_BY, hash_of(i), account_of(int(client[i])), int(sent[i] * S) + 3 * S,
            ("1 opens",),
        )
        for i in mine.tolist()
    ]  # fmt: skip
    return (own, *told)


def _carried(view: View) -> dict[str, str]:
    """Say which message each request that carries one is for."""
    own = np.flatnonzero((view.rows["wire_bytes"] == 2000) & (view.rows["direction"] == 0))
    return {f"row:{row}": hash_of(message) for message, row in enumerate(own.tolist())}


def _labels(view: View, client: Ints, people: int) -> dict[Question, Any]:
    accounts, addresses = [account_of(c) for c in range(people)], [address(c) for c in range(people)]
    partner = [(c ^ 1) % people for c in range(people)]
    requests = np.flatnonzero(view.rows["direction"] == 0).tolist()
    wire = view.rows["wire_bytes"].tolist()
    kinds = {f"row:{row}": ("kind:message" if wire[row] == 2000 else "kind:poll",) for row in requests}
    return {
        Question.EVENT_KIND: kinds,
        Question.REAL_OR_DUMMY: {
            row: kind if kind == ("kind:message",) else () for row, kind in kinds.items()
        },
        Question.SENDER_ADDRESS: {hash_of(i): (address(int(c)),) for i, c in enumerate(client)},
        Question.ADDRESS_OF: {a: (b,) for a, b in zip(accounts, addresses, strict=True)},
        Question.ACCOUNT_OF: {b: (a,) for a, b in zip(accounts, addresses, strict=True)},
        Question.CONTACT: {accounts[c]: (accounts[d],) for c, d in enumerate(partner)},
        Question.CONTACT_OF_ADDRESS: {addresses[c]: (accounts[d],) for c, d in enumerate(partner)},
        Question.CONTACT_ADDRESS: {addresses[c]: (addresses[d],) for c, d in enumerate(partner)},
        Question.GROUP_MEMBER: {accounts[c]: (accounts[d],) for c, d in enumerate(partner)},
        Question.PLATFORM: {b: ("platform:ios",) for b in addresses},
        Question.DEVICES: {a: ("devices:1",) for a in accounts},
        Question.FOREGROUND_MINUTE: {b: ("minute:1",) for b in addresses},
        Question.TIME_ZONE: {a: ("2.0",) for a in accounts},
        Question.ADDRESS_OF_BLINDED: {f"blinded:15{c:02x}": (b,) for c, b in enumerate(addresses)},
    }
