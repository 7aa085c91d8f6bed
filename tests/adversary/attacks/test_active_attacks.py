"""Attacks of an active adversary, on cases small enough to be worked by hand."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import ATTACKS
from sessionsim.adversary.attacks._absence import absence_score
from sessionsim.adversary.attacks._acts import Slots, acts, slots_of, span_of, touched
from sessionsim.adversary.attacks._events import FIRST_STRANGER
from sessionsim.adversary.attacks._matching import random_keys
from sessionsim.adversary.attacks._swelling import rank_score, windows_of
from sessionsim.adversary.attacks._watermark import watermark_score, watermark_scores
from sessionsim.adversary.attacks.isolation import _released
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.seeds import Seeds
from sessionsim.core.verdict import Question, Verdict
from sessionsim.core.view import ACTION_COLUMNS, AT_ENDPOINT, VIEW_COLUMNS, View
from tests.adversary.attacks.traffic import N_NODES, NODES, account_of, address, told, view_of

S = 1_000_000
ATTACKS.scan()
HEX = [account_of(k).removeprefix("account:") for k in range(4)]


def log(kind: str, *rows: tuple[Any, ...]) -> dict[str, Any]:
    """Make a log. Rows: what, t, until (s), client number or -1, then by name."""
    found: list[dict[str, Any]] = []
    for what, t_s, until_s, client, *more in rows:
        row = {
            "name": "x",
            "kind": kind,
            "what": what,
            "t_us": round(t_s * S),
            "until_us": round(until_s * S),
        }
        row |= {"place": -1, "client": N_NODES + client if client >= 0 else -1}
        found.append(row | {"account": "", "token": "", "asked": ""} | (more[0] if more else {}))
    numbers = ("t_us", "until_us", "place", "client")
    return {
        name: np.array([row[name] for row in found], dtype=np.int64 if name in numbers else object)
        for name in ACTION_COLUMNS
    }


def judged(kind: str, view: View, actions: dict[str, Any], **settings: Any) -> dict[tuple[str, str], float]:
    """Run an attack: its scores by subject and candidate."""
    entry = ATTACKS[kind]
    made = entry.factory(entry.config(**settings))
    made.fit([])
    seen: Verdict = made.infer(dataclasses.replace(view, actions=actions), (), Seeds(1).stream("attack"))
    assert seen.question is made.question
    return dict(
        zip(
            zip(seen.subject.tolist(), seen.candidate.tolist(), strict=True), seen.score.tolist(), strict=True
        )
    )


def polls(account: int, times_s: Sequence[float]) -> list[tuple[Any, ...]]:
    return [(round(t * S), account, 3, "") for t in times_s]


# --- reading the log --------------------------------------------------------------------------------------


def test_the_log_is_read_by_kind_and_name() -> None:
    actions = log("delay", ("slot", 4, 8, 0), ("slot", 0, 4, 1), ("held", 5, 7, 0))
    view = dataclasses.replace(view_of(), actions=actions)
    found = acts(view, "delay")
    assert span_of(found) == (0, 8 * S)
    assert touched(found) == [N_NODES]
    assert slots_of(found)[N_NODES + 1].end_us.tolist() == [4 * S]
    assert len(acts(view, "delay", "y").t_us) == len(acts(view, "drop").t_us) == 0
    assert span_of(acts(view_of(), "delay")) == (0, 0)


def test_a_slot_holds_its_begin_and_not_its_end() -> None:
    slots = Slots(np.array([10, 30]), np.array([20, 40]))
    assert slots.hold(np.array([9, 10, 19, 20, 30, 39, 40])).tolist() == [0, 1, 1, 0, 1, 1, 0]


# --- delay ------------------------------------------------------------------------------------------------


def test_a_watermark_is_found_in_the_flow_it_was_put_on() -> None:
    # Slots of 4 s; client 0 is held 2 s in slots 0 and 1, client 1 in slots 2 and 3. Account 0 asks at phase
    # 0.25 and, where client 0 is held, at phase 0.75: both marked ones rank above both others.
    actions = log(
        "delay", ("slot", 0, 4, 0), ("slot", 4, 8, 0), ("slot", 8, 12, 1), ("slot", 12, 16, 1),
        ("held", 1, 3, 0), ("held", 9, 11, 1),
    )  # fmt: skip
    view = view_of(retrieved=polls(0, [3.0, 7.0, 9.0, 13.0]))
    found = judged("delay-watermark", view, actions, lag_us=0)
    # Rank sum 2 and 2 of 4, ties at mean ranks: U = 4 - 2 above its mean, deviation sqrt(4 * 5 / 12).
    assert found[account_of(0), address(0)] == pytest.approx(2 / math.sqrt(20 / 12))
    assert found[account_of(0), address(1)] == pytest.approx(-2 / math.sqrt(20 / 12))


def test_a_flow_that_was_never_held_is_no_candidate() -> None:
    actions = log("delay", ("slot", 0, 4, 0), ("slot", 4, 8, 1), ("held", 1, 3, 0))
    found = judged("delay-watermark", view_of(retrieved=polls(0, [1, 5])), actions, lag_us=0)
    assert {candidate for _, candidate in found} == {address(0)}


# --- drop and tag -----------------------------------------------------------------------------------------


def test_absence_counts_against_the_share_of_time() -> None:
    slots = Slots(np.array([0]), np.array([25 * S]))
    # 16 events in 100 s, none of them in the quarter that is marked: (16 / 4 - 0) / sqrt(16 * 3 / 16).
    quiet = np.arange(16) * S + 30 * S
    assert absence_score(quiet, slots, (0, 100 * S)) == pytest.approx(4 / math.sqrt(3))
    assert absence_score(quiet - 30 * S, slots, (0, 100 * S)) == pytest.approx(-12 / math.sqrt(3))
    assert absence_score(quiet[:0], slots, (0, 100 * S)) == 0.0
    assert absence_score(quiet, slots, (200 * S, 300 * S)) == 0.0


@pytest.mark.parametrize(
    ("attack", "kind", "what"), [("drop-confirmation", "drop", "dropped"), ("tagging", "tag", "tagged")]
)
def test_who_falls_silent_with_a_client_is_taken_for_it(attack: str, kind: str, what: str) -> None:
    actions = log(
        kind, ("slot", 0, 10, 0), ("slot", 10, 20, 1), ("slot", 30, 40, -1),
        (what, 1, 1, 0), (what, 11, 11, 1),
    )  # fmt: skip
    view = view_of(retrieved=[*polls(0, range(11, 40)), *polls(1, [*range(1, 10), *range(21, 40)])])
    found = judged(attack, view, actions, lag_us=0)
    assert found[account_of(0), address(0)] > 2.5 > 0 > found[account_of(0), address(1)]
    assert found[account_of(1), address(1)] > 2.5 > 0 > found[account_of(1), address(0)]


def test_a_tag_that_came_through_would_be_seen_at_the_far_end() -> None:
    actions = log(
        "tag", ("slot", 0, 10, 0), ("slot", 10, 20, 1), ("tagged", 1, 1, 0), ("tagged", 11, 11, 1),
        ("answered", 2, 2, 0), ("answered", 12, 12, 1),
    )  # fmt: skip
    view = view_of(retrieved=[*polls(0, [1.5, 6]), *polls(1, [11.5, 18])])
    found = judged("tagging", view, actions)
    assert found[account_of(0), address(0)] == found[account_of(1), address(1)] == 1.0
    assert found[account_of(0), address(1)] == found[account_of(1), address(0)] == 0.0


# --- replay -----------------------------------------------------------------------------------------------


def hops(*rows: tuple[float, int, int]) -> View:
    """Make a view of onion messages at nodes. Rows: when (s), node, number of the bytes."""
    n = len(rows)
    table: dict[str, Any] = {name: np.full(n, -1, dtype=np.int64) for name in VIEW_COLUMNS}
    table |= {
        "row": np.arange(n), "t_us": np.array([round(t * S) for t, _, _ in rows]),
        "place": np.full(n, AT_ENDPOINT), "src": np.zeros(n, np.int64),
        "dst": np.array([node for _, node, _ in rows]), "direction": np.zeros(n, np.int64),
        "head": np.full(n, HEAD_CODE["sn.onion_request"]), "blob": np.array([blob for _, _, blob in rows]),
    }  # fmt: skip
    return View("eve", "fast", table, {}, (), NODES, frozenset({3}))


def test_what_comes_twice_is_from_whose_copy_was_sent_just_before() -> None:
    view = hops((1, 3, 7), (2, 3, 8), (4.5, 3, 7), (6, 5, 9), (9.5, 3, 8))
    told(view, (), [(1 * S, 0, 3, ""), (2 * S, 1, 3, "")])
    actions = log(
        "replay", ("slot", 0, 10, 0), ("copied", 4, 4, 0), ("copied", 9, 9, 1), ("copied", 9.2, 9.2, 2)
    )
    found = judged("replay", view, actions)
    assert found[account_of(0), address(0)] == 1.0
    assert found[account_of(0), address(1)] == 0.0
    # Two copies can have been the second one: each gets half.
    assert found[account_of(1), address(1)] == found[account_of(1), address(2)] == 0.5


def test_without_a_second_coming_nothing_is_said() -> None:
    view = hops((1, 3, 7), (4.5, 5, 7))
    told(view, (), [(1 * S, 0, 3, "")])
    assert not judged("replay", view, log("replay", ("copied", 4, 4, 0)))


# --- isolation --------------------------------------------------------------------------------------------


def test_a_message_is_from_one_of_those_let_through() -> None:
    # Clients 0 and 1 ask at 1 s and 2 s; 0 is in its slot, 1 waits until 4 s, 2 until 8 s.
    actions = log(
        "isolate", ("slot", 0, 4, 0), ("slot", 4, 8, 1), ("slot", 8, 12, 2),
        ("held", 2, 4, 1), ("held", 3, 8, 2), ("held", 5, 12, 0),
    )  # fmt: skip
    view = view_of(
        [1 * S, 2 * S, 3 * S, 5 * S], [0, 1, 2, 0],
        stored=[(round(t * S), 3, k, 900, True) for k, t in enumerate((1.5, 4.6, 7))],
    )  # fmt: skip
    found = judged("isolation", view, actions)
    by_message: dict[str, set[str]] = {}
    for subject, candidate in found:
        by_message.setdefault(subject[-1], set()).add(candidate)
    assert by_message == {"0": {address(0)}, "1": {address(1)}}


def test_those_let_through_together_are_equally_likely() -> None:
    actions = log("isolate", ("slot", 0, 8, 0), ("slot", 0, 8, 1), ("held", 9, 10, 0), ("held", 9, 10, 1))
    view = view_of([1 * S, 1 * S], [0, 1], stored=[(round(1.4 * S), 3, 0, 900, True)])
    entry = ATTACKS["isolation"]
    made = entry.factory(entry.config())
    seen = made.infer(dataclasses.replace(view, actions=actions), (), Seeds(1).stream("attack"))
    assert seen.prob.tolist() == [0.5, 0.5]
    assert seen.among.tolist() == [2, 2]


# --- probe and flood --------------------------------------------------------------------------------------


def test_rank_sums_are_those_of_the_books() -> None:
    # All three inside above all three outside: U = 9, mean 4.5, deviation sqrt(9 * 7 / 12).
    assert rank_score([4, 5, 6], [1, 2, 3]) == pytest.approx(4.5 / math.sqrt(63 / 12))
    assert rank_score([1, 2, 3], [4, 5, 6]) == -rank_score([4, 5, 6], [1, 2, 3])
    assert rank_score([7, 7], [7, 7]) == 0.0
    assert rank_score([9], [1, 2, 3]) == 0.0
    # With ties the deviation is smaller: two pairs of ties among five values.
    assert rank_score([2, 3, 3], [1, 2]) == pytest.approx(2.5 / math.sqrt(6 / 12 * (6 - 12 / 20)))


def test_stores_of_one_burst_make_one_window() -> None:
    rows = [("stored", t, t, -1, {"account": HEX[0]}) for t in (0, 0.1, 9)]
    view = dataclasses.replace(view_of(), actions=log("probe", *rows))
    windows = windows_of(acts(view, "probe"), 2 * S)
    assert windows[account_of(0)].begin_us.tolist() == [0, 9 * S]
    assert windows[account_of(0)].end_us.tolist() == [2 * S, 11 * S]


def test_whose_answers_swell_after_probes_is_the_one() -> None:
    slots = [("slot", t, t + 8, -1, {"account": HEX[0]}) for t in (0, 16, 32, 48)]
    probes = [("stored", t, t, -1, {"account": HEX[0]}) for t in (0, 16, 32, 48)]
    times = np.arange(1, 56, 2) * S
    fat = np.where(np.arange(1, 56, 2) % 16 < 6, 3000, 800)
    view = view_of(
        np.concatenate([times, times]), [0] * len(times) + [1] * len(times),
        np.concatenate([fat, np.full(len(times), 800)]), answers=True,
    )  # fmt: skip
    found = judged("online-probe", view, log("probe", *slots, *probes))
    assert found[account_of(0), address(0)] > 4
    assert found[account_of(0), address(1)] == 0.0
    volume = judged("flood", view, log("flood", *slots, *probes))
    assert volume[account_of(0), address(0)] > 1.5
    assert volume[account_of(0), address(1)] == 0.0


# --- equivocation -----------------------------------------------------------------------------------------


def named(*tokens: tuple[str, float], node: int = 3) -> list[tuple[Any, ...]]:
    """Names that were told, with the times (s)."""
    return [("told", t, t, -1, {"account": HEX[0], "place": node, "token": token}) for token, t in tokens]


@pytest.mark.parametrize(
    ("tokens", "repeated", "devices"),
    [
        ([("a", 0), ("b", 5)], [("a", 5), ("b", 9)], 1),  # one after the other
        ([("a", 0), ("c", 1), ("b", 5)], [("a", 5), ("c", 6), ("b", 9)], 2),  # side by side
        ([("a", 0), ("x", 5), ("b", 6)], [("a", 5), ("a", 6), ("b", 9)], 1),  # an answer that never arrived
        ([("a", 0), ("b", 1), ("c", 2)], [("a", 5), ("b", 6), ("c", 7)], 3),
    ],
)
def test_names_alive_at_once_are_devices(
    tokens: list[tuple[str, float]], repeated: list[tuple[str, float]], devices: int
) -> None:
    view = view_of(retrieved=[(round(t * S), 0, 3, cursor) for cursor, t in repeated])
    found = judged("equivocation", view, log("equivocate", *named(*tokens)))
    assert max(found, key=lambda pair: found[pair]) == (account_of(0), f"devices:{devices}")


def test_nodes_are_not_added_up_and_silence_says_nothing() -> None:
    view = view_of(retrieved=[(1 * S, 0, 3, "a"), (2 * S, 0, 4, "b")])
    rows = [*named(("a", 0)), *named(("b", 0), node=4)]
    found = judged("equivocation", view, log("equivocate", *rows))
    assert max(found, key=lambda pair: found[pair]) == (account_of(0), "devices:1")
    assert not judged("equivocation", view_of(), log("equivocate", *rows))


# --- the open world ---------------------------------------------------------------------------------------


def crowded(view: View, people: int, t_us: Sequence[int] = (), whose: Sequence[int] = ()) -> View:
    """Put strangers around, so many of them online, of whom some ask at some times."""
    table = {
        "t_us": np.array(t_us, dtype=np.int64), "client": FIRST_STRANGER + np.array(whose, dtype=np.int64),
        "wire_bytes": np.full(len(t_us), 900),
    }  # fmt: skip
    online = {"clients": np.array([people]), "accounts": np.array([people])}
    return dataclasses.replace(view, background={"requests": table, "people": online})


def test_keys_of_strangers_have_the_wanted_number_of_marked_slots() -> None:
    keys = random_keys(500, 20, 5, Seeds(1).stream("keys"))
    assert set(keys.sum(axis=1).tolist()) == {5}
    assert np.abs(keys.mean(axis=0) - 0.25).max() < 0.08


def test_many_keys_score_as_one_by_one() -> None:
    rng = Seeds(2).stream("keys")
    times, keys = np.sort(rng.random(40)) * 100, random_keys(30, 25, 12, rng)
    together = watermark_scores(times, keys, 4.0, 0.1)
    assert together.tolist() == pytest.approx([watermark_score(times, key, 4.0, 0.1) for key in keys])
    # Of keys that have nothing to do with the flow the scores are about standard normal.
    many = watermark_scores(times, random_keys(4000, 25, 12, rng), 4.0, 0.1)
    assert abs(many.mean()) < 0.1
    assert abs(many.std() - 1) < 0.1


@pytest.mark.parametrize(
    ("attack", "kind", "what"),
    [("delay-watermark", "delay", "held"), ("drop-confirmation", "drop", "dropped")],
)
def test_strangers_rank_among_the_candidates_by_chance(attack: str, kind: str, what: str) -> None:
    slots = [("slot", t, t + 4, client) for t in range(0, 160, 8) for client in (0,)]
    slots += [("slot", t + 4, t + 8, 1) for t in range(0, 160, 8)]
    actions = log(kind, *slots, (what, 1, 2, 0), (what, 5, 6, 1))
    # Account 0 asks in the late half of the slots of client 0 and early in the others; account 1 at random.
    phases = [t + 3.5 for t in range(0, 160, 8)] + [t + 0.5 for t in range(4, 160, 8)]
    if kind == "drop":
        phases = [t + k for t in range(4, 160, 8) for k in (0.5, 1.5, 2.5)]
    view = view_of([1, 2], [0, 1], retrieved=polls(0, phases))
    found = judged(attack, crowded(view, 1000), actions, lag_us=0)
    names = [candidate for _, candidate in found]
    assert len(names) == 200
    assert names[0] == address(0)
    assert sum(name.startswith("addr:1") for name in names) > 190
    entry = ATTACKS[attack]
    made = entry.factory(entry.config(lag_us=0))
    seen = made.infer(
        dataclasses.replace(crowded(view, 1000), actions=actions), (), Seeds(1).stream("attack")
    )
    assert set(seen.among.tolist()) == {1002}


def test_strangers_are_let_through_in_slots_of_their_own() -> None:
    rng, t_us, whose = Seeds(1).stream("keys"), np.arange(0, 40, 2) * S, np.arange(20) % 4

    def released(marked: int) -> np.ndarray:
        rows = [("slot", 4 * k, 4 * k + 4, 0) for k in range(marked)] + [("slot", 36, 40, 1)] * marked
        rows += [("slot", 0, 4, 1)] if marked < 10 else []
        view = dataclasses.replace(view_of(), actions=log("isolate", *rows))
        return _released(t_us, whose, 4, acts(view, "isolate"), rng)

    assert released(10).tolist() == t_us.tolist()
    few = released(2)
    assert (few >= t_us).all()
    assert (few > t_us).sum() > 10
    assert set((few[few > t_us] % (4 * S)).tolist()) == {0}
    assert few.max() <= 40 * S


def test_isolation_among_strangers_leaves_those_let_through_with_them() -> None:
    actions = log("isolate", ("slot", 0, 8, 0), ("slot", 0, 8, 1), ("held", 9, 10, 0), ("held", 9, 10, 1))
    view = view_of([1 * S], [0], stored=[(round(1.4 * S), 3, 0, 900, True)])
    alone = judged("isolation", view, actions)
    wide = judged("isolation", crowded(view, 50, [1 * S] * 10, range(10)), actions)
    assert len(alone) == 1
    assert len(wide) == 11
    entry = ATTACKS["isolation"]
    crowd = crowded(view, 5000, [1 * S] * 400, range(400))
    made = entry.factory(entry.config())
    seen = made.infer(dataclasses.replace(crowd, actions=actions), (), Seeds(1).stream("attack"))
    # Of those let through 200 are named; the others are as likely.
    assert len(seen) == 200
    assert set(seen.among.tolist()) == {round(1 / seen.prob[0])}
    assert 200 < seen.among[0] <= 401


# --- all --------------------------------------------------------------------------------------------------

ACTIVE = [entry for entry in ATTACKS if getattr(entry.factory, "acts", "")]


def test_there_is_one_for_every_kind() -> None:
    from sessionsim.network.interference import KINDS

    assert {entry.factory.acts for entry in ACTIVE} == set(KINDS)
    assert {entry.factory.question for entry in ACTIVE} <= set(Question)


@pytest.mark.parametrize("entry", ACTIVE, ids=lambda entry: entry.id)
def test_who_did_nothing_concludes_nothing(entry: Any) -> None:
    view = view_of([1, 2, 3], [0, 0, 1], stored=[(5, 0, 0, 900, True)], retrieved=polls(0, [1, 2]))
    assert not judged(entry.id, view, {})
    assert not judged(entry.id, view, log("other", ("slot", 0, 4, 0), ("held", 1, 2, 0)))
