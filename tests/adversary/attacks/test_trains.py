"""Events by name, near events in blocks, and crowds of strangers in blocks."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from sessionsim.adversary.attacks import _crowds, _trains, poll_timing
from sessionsim.adversary.attacks._crowds import crowds, laid_out
from sessionsim.adversary.attacks._events import FIRST_STRANGER, online_clients
from sessionsim.adversary.attacks._trains import meetings, near, rows_of, trains_of
from sessionsim.core.seeds import Seeds
from sessionsim.core.verdict import Example, Question
from sessionsim.core.view import View
from sessionsim.experiment.background import Background, Watched, with_background
from tests.adversary.attacks.traffic import account_of, address, view_of

S = 1_000_000


def test_events_are_split_by_name_in_their_order() -> None:
    whose = np.array([2, 0, 2, 0])
    assert [rows.tolist() for rows in rows_of(whose, 4)] == [[1, 3], [], [0, 2], []]
    assert [times.tolist() for times in trains_of(np.array([9, 4, 1, 7]), whose, 3)] == [[4, 7], [], [9, 1]]
    assert rows_of(whose[:0], 0) == []


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_near_events_are_those_in_the_window_whatever_the_blocks(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_trains, "_BLOCK", block)
    events, others = np.array([10, 3, 10, 50]), np.array([1, 8, 10, 12, 12])
    pairs = [pair for one, other in near(events, others, -2, 2) for pair in zip(one, other, strict=True)]
    # From two before, two before included, until two after, two after not included.
    assert pairs == [(0, 1), (0, 2), (1, 0), (2, 1), (2, 2)]
    assert list(near(events[:0], others, -2, 2)) == []


@pytest.mark.parametrize("block", [1, 1000])
def test_a_name_meets_an_event_once_however_often(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_trains, "_BLOCK", block)
    ones = (np.array([10, 20, 30]), np.array([0, 1, 1]), 2)
    others = (np.array([9, 10, 19, 29, 29]), np.array([0, 0, 1, 1, 1]), 3)
    assert meetings(ones, others, -2, 1).tolist() == [[1, 0, 0], [0, 2, 0]]


POLLS = {"t_us": np.array([10, 20, 500]), "client": np.array([0, 0, 1]), "wire_bytes": np.array([1, 2, 7])}


def crowd(people: int, rng: np.random.Generator) -> dict[str, dict[str, np.ndarray]]:
    return {
        "polls": POLLS,
        "pollers": {
            "client": FIRST_STRANGER + np.arange(people),
            "stream": rng.integers(2, size=people),
            "turn_us": rng.integers(1000, size=people),
        },
        "watch": {"horizon_us": np.array([1000])},
    }


def test_crowds_come_whole_and_in_order_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    background = crowd(40, np.random.default_rng(1))
    view = dataclasses.replace(view_of(), background=background)
    [whole] = crowds(view)
    monkeypatch.setattr(_crowds, "_BLOCK", 7)
    parts = list(crowds(view))
    assert len(parts) > 5
    assert all(np.all(np.diff(part.t_us) >= 0) for part in (whole, *parts))
    for one, other in itertools.pairwise(parts):
        assert one.client.max() < other.client.min()
    sets = [
        sorted(zip(*(np.concatenate(c).tolist() for c in columns), strict=True))
        for columns in (
            ([whole.client], [whole.t_us], [whole.wire_bytes]),
            ([p.client for p in parts], [p.t_us for p in parts], [p.wire_bytes for p in parts]),
        )
    ]
    assert sets[0] == sets[1]
    first = background["pollers"]["stream"].tolist().index(0)
    mine = whole.client == FIRST_STRANGER + first
    turned = (POLLS["t_us"][:2] + background["pollers"]["turn_us"][first]) % 1000
    assert sorted(whole.t_us[mine].tolist()) == sorted(turned.tolist())
    assert list(crowds(view_of())) == []


def test_streams_are_laid_out_under_their_new_numbers() -> None:
    found = laid_out(POLLS, "client", (np.array([70, 71]), np.array([1, 0]), np.array([600, 5])), 1000)
    rows = zip(found["t_us"].tolist(), found["client"].tolist(), found["wire_bytes"].tolist(), strict=True)
    assert list(rows) == [(15, 71, 1), (25, 71, 2), (100, 70, 7)]


def polled(seed: int) -> View:
    """Two clients who poll every 5 s, each served 0.2 s later."""
    rng = np.random.default_rng(seed)
    sent = sorted((round((5 * k + 2 * c + rng.uniform(0, 0.3)) * S), c) for k in range(30) for c in (0, 1))
    served = [(t + 200_000 + int(rng.integers(50_000)), c, 3, "") for t, c in sent]
    return view_of([t for t, _ in sent], [c for _, c in sent], retrieved=served)


def test_everybody_online_polls_and_owners_are_found_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {
        Question.ADDRESS_OF: {account_of(c): (address(c),) for c in (0, 1)}, Question.EVENT_KIND: {},
        Question.SENDER_ADDRESS: {},
    }  # fmt: skip
    attack = poll_timing.PollTiming(poll_timing.Config(keep=1000))
    attack.fit([Example(polled(1), (), labels, {})])
    rules = Background(messages_per_day=1.0, online_prob=0.5)
    spoken = np.zeros(0, dtype=np.int64)
    wide = with_background(
        polled(2), 400, Watched(1.0, 0.0, 150 * S), rules, spoken, Seeds(1), polls=True
    )  # fmt: skip
    assert online_clients(wide) == 202
    found = attack.infer(wide, (), np.random.default_rng(0))
    assert set(found.among.tolist()) == {202}
    assert len(found) == 2 * 202
    best = dict(zip(found.subject[::202].tolist(), found.candidate[::202].tolist(), strict=True))
    assert best == {account_of(c): address(c) for c in (0, 1)}
    monkeypatch.setattr(_crowds, "_BLOCK", 100)
    again = attack.infer(wide, (), np.random.default_rng(0))
    assert again.candidate.tolist() == found.candidate.tolist()
    assert again.score == pytest.approx(found.score)
