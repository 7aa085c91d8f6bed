"""The three sentences, word by word, for what a run can come out at."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

from sessionsim.core.readings import Reading
from sessionsim.report import answers

Manifest = dict[str, Any]
Make = Callable[..., Reading]


def replaced(readings: list[Reading], name: str, **change: Any) -> list[Reading]:
    assert any(one.name == name for one in readings)
    return [dataclasses.replace(one, **change) if one.name == name else one for one in readings]


def without(readings: list[Reading], metric: str) -> list[Reading]:
    return [one for one in readings if one.metric != metric]


NOTHING = {"value": None, "low": None, "high": None}


def test_all_three_sentences_of_an_ordinary_run(readings: list[Reading], manifest: Manifest) -> None:
    assert answers(readings, manifest) == (
        "Half of the delivered messages arrived within 2.00 s (1.80 to 2.20 s) of the wish to send, 95 of 100"
        " within 6.00 s (5.40 to 6.60 s); 98 messages in 3 seeds.",
        "98 of 100 messages arrived (98.0 %; interval 97.0 to 99.0 % over 3 seeds), 2 were refused"
        " (status 504), 1 more was unfinished at the end; a client's link carried 70.1 MB (63.1 to 77.1 MB) a"
        " day, 86 % of it for polls.",
        "“snodes” knows the network address of 3 of 20 accounts (15 %; interval 8 to 31 %; blind guess"
        " 5.3 %; ceiling 4 of 20, by the guards, replicas and devices operated) and who talks to whom for 3"
        " of 20 contacts (15 %; interval 8 to 31 %; blind guess 5.3 %); which address an account uses and who"
        " talks to whom: not seen here by “isp” (at most 16 % by the interval).",
    )


def test_too_few_messages_for_p95_say_how_many_would_do(readings: list[Reading], manifest: Manifest) -> None:
    few = replaced(readings, "end to end, p95", **NOTHING, needed=200, n=98, n_unit="message")
    assert answers(few, manifest)[0] == (
        "Half of the delivered messages arrived within 2.00 s (1.80 to 2.20 s) of the wish to send; the"
        " slowest 5 of 100 cannot be told from so few (200 messages would do); 98 messages in 3 seeds."
    )


def test_too_few_for_a_median_fall_back_to_the_mean(readings: list[Reading], manifest: Manifest) -> None:
    few = replaced(readings, "end to end, p50", **NOTHING, needed=20, n=7, n_unit="message")
    assert answers(few, manifest)[0] == (
        "A delivered message took 2.20 s (1.98 to 2.42 s) on average, from the wish to send until it was"
        " handed over; too few messages for a median (not enough data: 7 messages, 20 would do)."
    )


def test_no_messages_at_all_give_no_number(manifest: Manifest) -> None:
    speed, reliability, knowledge = answers([], manifest)
    assert speed == "How fast messages are cannot be said (not measured)."
    assert reliability == (
        "How many messages arrive cannot be said (not measured); no client's link was watched, so bytes were"
        " not measured."
    )
    assert knowledge.startswith("Who learned what was not asked")


def test_too_few_watched_clients_are_not_called_unwatched(
    readings: list[Reading], manifest: Manifest
) -> None:
    few = replaced(readings, "client links, total", **NOTHING, needed=3, n=2, n_unit="account")
    assert answers(few, manifest)[1].endswith(
        "; what a client's link carries cannot be said (not enough data: 2 accounts, 3 would do)."
    )


def test_nothing_lost_is_said_with_its_bound(readings: list[Reading], manifest: Manifest) -> None:
    counts = {"delivered": 101.0, "waiting": 0.0, "messages": 101.0}
    change = {"value": 1.0, "low": 0.951, "high": 1.0, "n": 60, "n_unit": "account", "counts": counts}
    assert answers(replaced(readings, "delivered", **change), manifest)[1].startswith(
        "101 of 101 messages arrived (100 %; at least 95.1 % by 60 accounts); a client's link"
    )


def test_observers_that_know_the_same_share_one_clause(
    readings: list[Reading], manifest: Manifest, make_reading: Make
) -> None:
    copies = [
        dataclasses.replace(one, name=one.name.replace("snodes", "together"))
        for one in readings
        if one.metric == "who-learned-what" and one.name.startswith("snodes")
    ]
    assert answers(readings + copies, manifest)[2].startswith(
        "“snodes” and “together” know the network address"
    )


def test_nobody_knowing_anything_is_not_seen_here(readings: list[Reading], manifest: Manifest) -> None:
    only_isp = [one for one in readings if not (one.metric == "who-learned-what" and "snodes" in one.name)]
    assert answers(only_isp, manifest)[2] == (
        "Which address an account uses and who talks to whom: not seen here by “isp” (at most 16 % by"
        " the interval)."
    )


def test_the_word_knows_needs_a_ledger(readings: list[Reading], manifest: Manifest) -> None:
    for sentence in answers(without(readings, "who-learned-what"), manifest):
        assert not re.search(r"\bknows?\b", sentence)


def test_no_sentence_judges(readings: list[Reading], manifest: Manifest) -> None:
    for chosen in (readings, [], without(readings, "traffic")):
        for sentence in answers(chosen, manifest):
            assert not re.search(r"\b(safe|secure|broken|anonymous|proves?|impossible)\b", sentence, re.I)
