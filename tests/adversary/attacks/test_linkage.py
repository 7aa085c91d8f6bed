"""Linkage by servers: files, blinded ids and tokens of groups; cases worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sessionsim.adversary.attacks import _server_events as seen
from sessionsim.adversary.attacks import community_linkage, file_linkage, group_linkage
from sessionsim.adversary.attacks._trains_met import excess
from sessionsim.core.verdict import Verdict
from sessionsim.core.view import View
from tests.adversary.attacks.traffic import account_of, address, view_of

S = 1_000_000
RNG = np.random.default_rng(0)


def table(found: Verdict) -> dict[tuple[str, str], float]:
    """Give the probability, or else the score, of each pair."""
    told = np.where(np.isnan(found.prob), found.score, found.prob).tolist()
    return dict(zip(zip(found.subject.tolist(), found.candidate.tolist(), strict=True), told, strict=True))


# --- how much oftener than chance ---------------------------------------------------------------------------


def test_events_met_beyond_chance_worked_by_hand() -> None:
    # Name 0 has events at 10 and 50, name 1 at 30 and 110; the train's events are at 9, 49 and 49.5.
    events = np.array([10, 50, 30, 110]) * S
    train = np.array([9 * S, 49 * S, 49 * S + S // 2])
    found = excess(events, np.array([0, 0, 1, 1]), 2, [train, train[:0]], -2 * S, 0)
    # Windows of 2 s cover 2 + 0.5 + 2 s of the 101 s between the first event and the last of all.
    chance = 4.5 / 101
    spread = math.sqrt(2 * chance * (1 - chance) + 0.25)
    assert found[:, 0].tolist() == pytest.approx([(2 - 2 * chance) / spread, -2 * chance / spread])
    assert found[:, 1].tolist() == [0.0, 0.0]  # a train without events neither meets nor is expected to


def test_a_train_that_is_always_there_tells_nothing() -> None:
    events = np.arange(10) * S
    found = excess(events, np.zeros(10, dtype=np.intp), 1, [np.arange(0, 10 * S, S // 2)], -S, 0)
    assert found[0, 0] == pytest.approx(0.0)


def test_both_ends_of_a_window_count() -> None:
    def met(t_us: int) -> bool:
        trains = [np.array([10 * S])]
        return float(excess(np.array([t_us, 99 * S]), np.array([0, 1]), 2, trains, -S, 2 * S)[0, 0]) > 0

    assert [met(t) for t in (8 * S - 1, 8 * S, 11 * S, 11 * S + 1)] == [False, True, True, False]


# --- files --------------------------------------------------------------------------------------------------


def filed(rows: list[tuple[int, int, int, bool]], moved: list[tuple[int, str, int, bool]]) -> View:
    """A view of links and of a file server. Args: rows: time in s, client, bytes on the wire, an answer."""
    kept = sorted(rows)
    view = view_of([t * S for t, *_ in kept], [c for _, c, _, _ in kept], [b for _, _, b, _ in kept])
    back = np.array([answer for *_, answer in kept])
    view.rows["direction"] = back.astype(np.int64)
    client = view.rows["src"].copy()
    view.rows["src"], view.rows["dst"] = np.where(back, 0, client), np.where(back, client, 0)
    seen.remember(view, seen.transfers_of(moved), seen.signatures_of([]))
    return view


def linked(view: View) -> Verdict:
    return file_linkage.FileLinkage(file_linkage.Config()).infer(view, (), RNG)


def test_who_may_have_sent_and_who_may_have_got_a_file_share_it() -> None:
    view = filed(
        [(100, 0, 120_000, False), (104, 1, 130_000, False), (105, 2, 3_000, False),
         (300, 3, 140_000, True), (301, 2, 900_000, True)],
        [(110 * S, "file:7", 100_000, True), (298 * S, "file:7", 100_000, False)],
    )  # fmt: skip
    found = linked(view)
    # Two senders fit and one receiver: 2 sent too little, and what it got is too long for the file.
    pairs = table(found)
    assert pairs[address(0), address(3)] == pytest.approx(0.9 / 2 * 0.9)
    assert pairs[address(3), address(1)] == pytest.approx(0.9 / 2 * 0.9)
    assert pairs[address(2), address(3)] == pairs[address(0), address(1)] == 0.0
    assert len(pairs) == 12
    assert set(found.among.tolist()) == {3}


def test_several_files_add_up_whichever_way_they_went() -> None:
    rows = [(100, 0, 120_000, False), (120, 1, 120_000, True), (500, 1, 120_000, False),
            (520, 0, 120_000, True)]  # fmt: skip
    moved = [(101 * S, "file:1", 100_000, True), (119 * S, "file:1", 100_000, False),
             (501 * S, "file:2", 100_000, True), (519 * S, "file:2", 100_000, False)]  # fmt: skip
    assert table(linked(filed(rows, moved)))[address(0), address(1)] == pytest.approx(1 - (1 - 0.81) ** 2)


def test_a_file_links_nobody_beyond_the_window_or_without_an_upload() -> None:
    rows = [(100, 0, 120_000, False), (320, 1, 120_000, True)]
    late = [(121 * S, "file:1", 100_000, True), (319 * S, "file:1", 100_000, False)]
    assert set(table(linked(filed(rows, late))).values()) == {0.0}
    assert set(table(linked(filed(rows, late[1:]))).values()) == {0.0}
    just = [(120 * S, "file:1", 100_000, True), (300 * S, "file:1", 100_000, False)]
    assert list(table(linked(filed(rows, just))).values()) == pytest.approx([0.81, 0.81])
    assert len(linked(filed(rows, []))) == 0


def test_a_file_that_many_ask_for_is_passed_over() -> None:
    rows = [(100, 0, 120_000, False), (120, 1, 120_000, True)]
    moved = [(101 * S, "file:1", 100_000, True), (119 * S, "file:1", 100_000, False)]
    twice = [*moved, (119 * S, "file:1", 100_000, False)]
    assert table(linked(filed(rows, twice)))[address(0), address(1)] == pytest.approx(1 - (1 - 0.81) ** 2)
    often = [*twice, (400 * S, "file:1", 100_000, False)]
    assert set(table(linked(filed(rows, often))).values()) == {0.0}


# --- communities --------------------------------------------------------------------------------------------


def asked(view: View, rows: list[tuple[int, str, str]]) -> View:
    seen.remember(view, seen.transfers_of([]), seen.signatures_of(rows))
    return view


def test_the_client_that_sends_before_each_request_of_a_blinded_id_is_its_owner() -> None:
    names = ["blinded:15aa", "blinded:15bb"]
    rows = [(t * S + S // 2, names[k], "") for k in (0, 1) for t in range(10 + 7 * k, 400, 30)]
    rows += [(t * S, account_of(1), account_of(1)) for t in range(5, 400, 30)]  # at a swarm, not a community
    sent = sorted((t, k) for k in (0, 1) for t in range(10 + 7 * k, 400, 30))
    view = asked(view_of([t * S for t, _ in sent], [k for _, k in sent]), rows)
    found = community_linkage.CommunityLinkage(community_linkage.Config()).infer(view, (), RNG)
    scores = table(found)
    assert set(found.subject.tolist()) == set(names)
    assert set(found.among.tolist()) == {2}
    chance = (
        13 * 1 / (377.5 - 10)
    )  # thirteen windows of a second between the first sending and the last request
    assert scores[names[0], address(0)] == pytest.approx(
        (13 - 13 * chance) / math.sqrt(13 * chance * (1 - chance) + 0.25)
    )
    assert scores[names[0], address(0)] > 5 > 0 > scores[names[0], address(1)]
    assert scores[names[1], address(1)] > 5 > 0 > scores[names[1], address(0)]


def test_without_blinded_ids_or_links_nothing_is_concluded() -> None:
    attack = community_linkage.CommunityLinkage(community_linkage.Config())
    assert len(attack.infer(asked(view_of([1], [0]), [(5, account_of(0), "")]), (), RNG)) == 0
    assert len(attack.infer(asked(view_of(), [(5, "blinded:15aa", "")]), (), RNG)) == 0


# --- groups -------------------------------------------------------------------------------------------------


def test_likely_members_of_one_group_are_claimed_together() -> None:
    owner = np.array([[0.9, 0.1, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]])
    found = group_linkage.pairs(owner, ["g", "g", "h"])
    # Of group g: account 0 with 0.9, 1 with 1 - 0.9 * 0.5, 2 with 0.5; group h has one token.
    assert found[0, 1] == pytest.approx(0.9 * 0.55)
    assert found[0, 2] == pytest.approx(0.9 * 0.5)
    assert found[1, 0] == found[0, 1]
    again = group_linkage.pairs(owner[[0, 1, 0, 1]], ["g", "g", "h", "h"])
    assert again[0, 1] == pytest.approx(1 - (1 - 0.9 * 0.55) ** 2)


def awake(silent: dict[int, tuple[int, int]], minutes: int = 60) -> View:
    """Accounts and their tokens are polled once a minute, at clocks of their own, but not in some minutes."""
    rows = []
    for k, (begin, end) in silent.items():
        group = "account:03aa" if k < 2 else "account:03bb"
        for minute in range(minutes):
            if not begin <= minute < end:
                rows.append((minute * 60 * S + 7 * k * S, account_of(k), account_of(k)))
                rows.append((minute * 60 * S + (50 - 11 * k) * S, f"member:{k}", group))
    return asked(view_of(), rows)


def groups(view: View) -> dict[tuple[str, str], float]:
    return table(group_linkage.GroupLinkage(group_linkage.Config()).infer(view, (), RNG))


def test_owners_of_tokens_are_found_by_being_away_at_the_same_time() -> None:
    found = groups(awake({0: (0, 20), 1: (15, 35), 2: (30, 50), 3: (40, 60)}))
    assert len(found) == 12
    claimed = {(a, b) for (a, b), prob in found.items() if prob >= 0.5}
    assert claimed == {(account_of(a), account_of(b)) for a, b in ((0, 1), (1, 0), (2, 3), (3, 2))}


def test_apps_that_never_sleep_give_nobody_away() -> None:
    found = groups(awake(dict.fromkeys(range(4), (60, 60))))
    # Each token is anyone's: a member of a group of two with 1 - (3/4)^2, and so for both groups.
    member = 1 - 0.75**2
    assert list(found.values()) == pytest.approx([1 - (1 - member**2) ** 2] * 12)


def test_groups_of_nobody_known_are_not_concluded() -> None:
    view = asked(view_of(), [(S, account_of(0), account_of(0)), (S, account_of(1), account_of(1))])
    assert groups(view) == {}
    assert groups(asked(view_of(), [(S, "member:1", "account:03aa")])) == {}
