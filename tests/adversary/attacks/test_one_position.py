"""What one position tells: kinds of requests, platforms, numbers of devices, a partner's event train."""

from __future__ import annotations

import numpy as np
import pytest

from sessionsim.adversary.attacks import device_count, event_kind, event_trains, platform
from sessionsim.adversary.attacks._neighbours import Neighbours
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.verdict import Example, Question, Verdict
from sessionsim.core.view import View
from tests.adversary.attacks.traffic import account_of, address, view_of

S = 1_000_000
RNG = np.random.default_rng(0)


def test_neighbours_vote() -> None:
    known = Neighbours([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [5.3], [5.4], [5.5]], ["a"] * 3 + ["b"] * 6)
    found = known.posterior([[0.05], [5.2]])
    assert known.classes == ["a", "b"]
    # Three neighbours, one half added to each class.
    assert found == pytest.approx(np.array([[3.5 / 4, 0.5 / 4], [0.5 / 4, 3.5 / 4]]))
    assert Neighbours([[1.0]], ["only"]).posterior([[7.0]]).tolist() == [[1.0]]


def mixed(seed: int, n: int = 600) -> tuple[View, Example]:
    """Requests of two kinds in two sizes that overlap: a tenth of each has the other's size."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(2, size=n)
    size = np.where(kind ^ (rng.random(n) < 0.1), 3000, 2000)
    view = view_of(np.arange(n) * S, np.arange(n) % 6, size)
    names = ("kind:message", "kind:poll")
    kinds = {f"row:{k}": (names[int(which)],) for k, which in enumerate(kind)}
    platforms = {address(k): ("platform:ios" if k % 2 else "platform:desktop",) for k in range(6)}
    return view, Example(view, (), {Question.EVENT_KIND: kinds, Question.PLATFORM: platforms}, {})


def test_kinds_are_told_by_size_and_claimed_as_often_as_they_hold() -> None:
    attack = event_kind.EventKind(event_kind.Config(gaps=False))
    attack.fit([mixed(1)[1]])
    view, example = mixed(2)
    found = attack.infer(view, (), RNG)
    best = np.arange(0, len(found), 2) + (found.prob[1::2] > found.prob[::2])
    labels = example.labels[Question.EVENT_KIND]
    right = np.mean([labels[found.subject[k]] == (found.candidate[k],) for k in best.tolist()])
    assert right == pytest.approx(0.9, abs=0.05)
    assert found.prob[best].mean() == pytest.approx(right, abs=0.06)
    assert len(event_kind.EventKind(event_kind.Config()).infer(view, (), RNG)) == 0


def sized(seed: int) -> tuple[View, Example]:
    """Desktops send 2000 and 3000 bytes, phones 2100 and 3000."""
    rng = np.random.default_rng(seed)
    client = rng.integers(6, size=300)
    size = np.where(rng.random(300) < 0.5, 3000, np.where(client % 2, 2100, 2000))
    view = view_of(np.arange(300) * S, client, size)
    names = {address(k): ("platform:ios" if k % 2 else "platform:desktop",) for k in range(6)}
    return view, Example(view, (), {Question.PLATFORM: names}, {})


def test_platforms_are_told_by_sizes() -> None:
    attack = platform.Platform(platform.Config())
    attack.fit([sized(1)[1]])
    view, example = sized(2)
    found = attack.infer(view, (), RNG)
    assert found.among.tolist() == [2] * 12
    for subject in set(found.subject.tolist()):
        mine = np.flatnonzero(found.subject == subject)
        best = mine[found.prob[mine].argmax()]
        assert example.labels[Question.PLATFORM][subject] == (found.candidate[best],)
        assert 0.9 < found.prob[best] < 1


def polled(seed: int) -> tuple[View, Example]:
    """Accounts with one to three devices, each polling every five seconds with its own phase and cursor."""
    rng = np.random.default_rng(seed)
    rows = []
    devices = {}
    for k in range(30):
        many = 1 + k % 3
        devices[account_of(k)] = (f"devices:{many}",)
        for device in range(many):
            for t in np.arange(rng.uniform(0, 5), 240, 5):
                rows.append((int((t + rng.gamma(4, 0.05)) * S), k, 3, f"cursor {device}"))
    view = view_of(retrieved=rows)
    return view, Example(view, (), {Question.DEVICES: devices}, {})


def test_devices_are_counted_by_their_polls() -> None:
    attack = device_count.DeviceCount(device_count.Config())
    attack.fit([polled(1)[1]])
    view, example = polled(2)
    found = attack.infer(view, (), RNG)
    truth = example.labels[Question.DEVICES]
    right = []
    for subject in set(found.subject.tolist()):
        mine = np.flatnonzero(found.subject == subject)
        right.append(truth[subject] == (found.candidate[mine[found.prob[mine].argmax()]],))
    assert np.mean(right) > 0.95


def opened(t_us: int, sender: int, number: int) -> Fact:
    return Fact(
        "eve", Relation.WRITTEN_BY, f"message:{number}", account_of(sender), t_us,
        ("key x25519 of account:me opens Envelope.content",),
    )  # fmt: skip


def chatting(seed: int) -> tuple[View, Example]:
    """Eight clients send; the observer receives what clients 0 and 1 write, a few seconds later."""
    rng = np.random.default_rng(seed)
    when = [np.sort(rng.uniform(0, 1800, 40)) for _ in range(8)]
    client = np.repeat(np.arange(8), 40)
    order = np.argsort(np.concatenate(when))
    facts = [
        opened(int((t + rng.uniform(1, 7)) * S), k, 100 * k + i)
        for k in (0, 1)
        for i, t in enumerate(when[k])
    ]
    view = view_of((np.concatenate(when) * S).astype(int)[order], client[order])
    kinds = {f"row:{k}": ("kind:message",) for k in range(320)}
    owners = {account_of(k): (address(k),) for k in range(8)}
    return view, Example(view, facts, {Question.EVENT_KIND: kinds, Question.ADDRESS_OF: owners}, {})


def test_a_partner_is_found_by_its_event_train() -> None:
    attack = event_trains.EventTrains(event_trains.Config())
    attack.fit([chatting(1)[1]])
    view, example = chatting(2)
    found: Verdict = attack.infer(view, example.ledger, RNG)
    assert set(found.subject.tolist()) == {account_of(0), account_of(1)}
    first = np.unique(found.subject.astype(str), return_index=True)[1]
    assert sorted(found.candidate[first].tolist()) == [address(0), address(1)]
    assert len(attack.infer(view, (), RNG)) == 0


def test_only_opened_letters_make_a_train() -> None:
    facts = [
        opened(9 * S, 1, 2), opened(5 * S, 1, 1),
        Fact("eve", Relation.WRITTEN_BY, "message:3", account_of(2), 1, ("both came over connection 4",)),
    ]  # fmt: skip
    assert {k: v.tolist() for k, v in event_trains.received_from(facts).items()} == {account_of(1): [5, 9]}
