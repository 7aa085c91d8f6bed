from __future__ import annotations

import numpy as np
import pytest

from sessionsim.core.intents import Deletion, GroupText, Intent, Reaction
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.workload.fits import REPLY_DELAY
from sessionsim.workload.responses import EMOJI, ResponseRules, Responses

ALWAYS = ResponseRules(reaction_share=1.0, taken_back_share=0.0, deletion_share=0.0)


def following(
    rules: ResponseRules, n: int = 6000, readers: tuple[int, ...] = (1, 2)
) -> list[list[Reaction | Deletion]]:
    responses = Responses(rules, [None] * 4, Seeds(1))
    texts = [GroupText(k * US_PER_S, 0, 7, "hi", k) for k in range(n)]
    return [list(responses.to(text, readers)) for text in texts]


def test_shares_are_those_of_the_settings() -> None:
    rules = ResponseRules(reaction_share=0.3, taken_back_share=0.2, deletion_share=0.05)
    found = [response for some in following(rules) for response in some]
    put = [one for one in found if isinstance(one, Reaction) and not one.removed]
    back = [one for one in found if isinstance(one, Reaction) and one.removed]
    gone = [one for one in found if isinstance(one, Deletion)]
    # Three binomial standard deviations of 6,000; a few reactions fall to deletions.
    assert len(put) / 6000 == pytest.approx(0.3 * 0.97, abs=0.02)
    assert len(back) / len(put) == pytest.approx(0.2, abs=0.03)
    assert len(gone) / 6000 == pytest.approx(0.05, abs=0.009)


def test_reactions_come_after_the_measured_delay_of_answers() -> None:
    delays = np.sort([some[0].t_us / US_PER_S - k for k, some in enumerate(following(ALWAYS))])
    expected = np.array([REPLY_DELAY.below(delay) for delay in delays])
    assert np.abs(expected - (np.arange(6000) + 0.5) / 6000).max() < 1.63 / 6000**0.5


def test_readers_react_alike_and_never_the_author() -> None:
    who = [some[0].sender for some in following(ALWAYS, readers=(0, 1, 2))]
    assert np.bincount(who) / 6000 == pytest.approx([0, 0.5, 0.5], abs=0.02)
    assert {some[0].emoji for some in following(ALWAYS) if isinstance(some[0], Reaction)} == set(EMOJI)


def test_nobody_reacts_where_nobody_reads() -> None:
    assert following(ALWAYS, 50, readers=(0,)) == [[]] * 50


def test_nothing_happens_to_a_deleted_message() -> None:
    rules = ResponseRules(reaction_share=1.0, taken_back_share=1.0, deletion_share=1.0)
    for some in following(rules, 500):
        assert [one.t_us for one in some] == sorted(one.t_us for one in some)
        assert isinstance(some[-1], Deletion)
        assert some[-1].sender == 0
        assert all(isinstance(one, Reaction) for one in some[:-1])
        assert len({one.t_us for one in some}) == len(some)


def test_what_follows_hangs_on_the_message_alone() -> None:
    text = Intent(5 * US_PER_S, 0, 1, "hello", 9)
    alone = list(Responses(ALWAYS, [None] * 2, Seeds(1)).to(text, (1,)))
    busy = Responses(ALWAYS, [None] * 2, Seeds(1))
    for k in range(20):
        list(busy.to(text._replace(number=k), (1,)))
    assert list(busy.to(text, (1,))) == alone
    assert alone[0].address[1:5] == ("direct", 1, 0, 9)


def test_deletions_are_mostly_soon() -> None:
    rules = ResponseRules(reaction_share=0.0, deletion_share=1.0, deletion_median_us=30 * US_PER_S)
    delays = [some[0].t_us / US_PER_S - k for k, some in enumerate(following(rules, 3000))]
    assert np.median(delays) == pytest.approx(30, rel=0.1)
