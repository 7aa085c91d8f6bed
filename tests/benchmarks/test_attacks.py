"""How each attack grows with the events it looks at: time at two sizes, and the exponent between them.

Nothing may grow worse than n log n where the literature has such an algorithm; assignment is the exception.
At the full size (SESSIONSIM_FULL) 10^3, 10^4 and 10^5 events; otherwise the first two.
"""

from __future__ import annotations

import os
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import ATTACKS
from sessionsim.adversary.attacks._server_events import remember, signatures_of, transfers_of
from sessionsim.core.verdict import Example, Question
from sessionsim.core.view import View
from tests.adversary.attacks.traffic import account_of, address, hash_of, view_of

ATTACKS.scan()
S = 1_000_000
SIZES = (1_000, 10_000, 100_000) if os.environ.get("SESSIONSIM_FULL") else (1_000, 10_000)
CLIENTS = 20
# Tables over rounds and tables of a window are as large as their sides' product; one client's ledger is not
# made of events of a view.
CUBIC = {"perfect-matching": 2.2}
MOST = 1.45  # n log n over a decade, with room for fixed costs and caches
LEAST_S = 0.02  # below it the clock, not the attack, is measured


def traffic(n: int) -> Example:
    """n events at a constant rate: a third of them requests that carry messages, stores, and polls each."""
    rng = np.random.default_rng(n)
    k = n // 3
    span = k * 0.5
    sent, polled = np.sort(rng.uniform(0, span, k)), np.sort(rng.uniform(0, span, k))
    client, poller = rng.integers(CLIENTS, size=k), rng.integers(CLIENTS, size=k)
    when = np.r_[sent, polled]
    order = np.argsort(when, kind="stable")
    wire = np.r_[np.full(k, 2000), np.full(k, 3000)][order]
    stored = [
        (int((t + d) * S), int(c ^ (i & 1)), i, 500, True)
        for i, (t, c, d) in enumerate(zip(sent, client, rng.gamma(4, 0.1, k), strict=True))
    ]
    retrieved = [(int((t + 0.3) * S), int(c), 3, "") for t, c in zip(polled, poller, strict=True)]
    view = view_of(
        (when * S).astype(int)[order], np.r_[client, poller][order], wire, stored=stored, retrieved=retrieved
    )
    named = [
        (int((t + 0.2) * S), one.format(int(c)), "account:03")
        for t, c in zip(polled, poller, strict=True)
        for one in ("blinded:15{:02x}", "member:{}", "account:05{}")
    ]
    files = [
        (int((t + late) * S), f"file:{i}", 1900, late < 1)
        for i, t in enumerate(sent[: k // 10])
        for late in (0.5, 60.0)
    ]
    remember(view, transfers_of(files), signatures_of(named))
    kinds = {f"row:{i}": ("kind:message" if w == 2000 else "kind:poll",) for i, w in enumerate(wire.tolist())}
    number = np.r_[np.arange(k), np.full(k, -1)][order].tolist()
    carried = {f"row:{i}": hash_of(m) for i, m in enumerate(number) if m >= 0}
    accounts, addresses = [account_of(c) for c in range(CLIENTS)], [address(c) for c in range(CLIENTS)]
    labels: dict[Question, Any] = {
        Question.EVENT_KIND: kinds,
        Question.REAL_OR_DUMMY: kinds,
        Question.SENDER_ADDRESS: {hash_of(i): (address(int(c)),) for i, c in enumerate(client)},
        Question.ADDRESS_OF: {a: (b,) for a, b in zip(accounts, addresses, strict=True)},
        Question.CONTACT: {account_of(c): (account_of(c ^ 1),) for c in range(CLIENTS)},
        Question.CONTACT_OF_ADDRESS: {address(c): (account_of(c ^ 1),) for c in range(CLIENTS)},
        Question.CONTACT_ADDRESS: {address(c): (address(c ^ 1),) for c in range(CLIENTS)},
        Question.PLATFORM: {b: ("platform:ios",) for b in addresses},
        Question.DEVICES: {a: ("devices:1",) for a in accounts},
        Question.REAL_OR_DUMMY: {
            row: ("kind:message",) if kind == ("kind:message",) else () for row, kind in kinds.items()
        },
        Question.FOREGROUND_MINUTE: {b: ("minute:1",) for b in addresses},
        Question.TIME_ZONE: {a: ("2.0",) for a in accounts},
        Question.GROUP_MEMBER: {account_of(c): (account_of(c ^ 1),) for c in range(CLIENTS)},
        Question.ADDRESS_OF_BLINDED: {f"blinded:15{c:02x}": (b,) for c, b in enumerate(addresses)},
    }
    return Example(view, (), labels, carried)


def seconds(attack: Any, view: View) -> float:
    best = np.inf
    for _ in range(2):
        begun = time.perf_counter()
        attack.infer(view, (), np.random.default_rng(1))
        best = min(best, time.perf_counter() - begun)
    return best


@pytest.mark.slow
def test_no_attack_grows_worse_than_its_literature() -> None:
    examples = {n: traffic(n) for n in SIZES}
    lines, wrong = [], []
    for entry in ATTACKS:
        attack = entry.factory(entry.config())
        attack.fit([examples[SIZES[0]]])
        took = [max(seconds(attack, examples[n].view), LEAST_S) for n in SIZES]
        tracemalloc.start()
        attack.infer(examples[SIZES[-1]].view, (), np.random.default_rng(1))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        exponent = float(np.log(took[-1] / took[-2]) / np.log(SIZES[-1] / SIZES[-2]))
        lines.append(f"{entry.id}: {took[-1]:.3f} s, {peak / 1e6:.0f} MB, exponent {exponent:.2f}")
        if exponent > CUBIC.get(entry.id, MOST):
            wrong.append(lines[-1])
    print("\n".join(lines))
    assert wrong == []
