"""When people read what came in, and what that makes their clients send.

A message is read at the first moment at which its reader looks or acts, a short while after it or after the
look began; everything from the same writer, or in the same group or room, that is there by then is read
with it. Nobody answers unread: reading comes at the latest before the reader's own next word there.

Reading changes what an account's devices share (messages 5.7: the most frequent config change), and makes a
receipt that lists all direct messages read at once, if the account switched receipts on (client-behaviour
6.3). Messages are taken to arrive as they are sent; whoever carries a receipt out waits for them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.workload.draws import Luck
from sessionsim.workload.laws import LogNormal
from sessionsim.workload.spans import Span, containing, following

_LOOK_SIGMA: Final = 0.8  # Assumption: a factor of 2.2 either way


@dataclass(frozen=True)
class ReadingRules:
    """Settings of reading."""

    receipt_share: float = setting(
        0.5,
        unit="prob",
        doc="Share of accounts that switched read receipts on.",
        source="Assumption: off by default, offered to everybody",
        low=0.0,
        high=1.0,
    )
    reading_median_us: int = setting(
        4 * US_PER_S,
        unit="us",
        doc="Median time from looking at the messenger, or from a message that comes meanwhile, to reading.",
        source="Assumption: opening a conversation takes seconds",
        low=0,
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment of reading. Args: t_us: when; first, end: which of the messages that came in, by place."""

    t_us: int
    first: int
    end: int


def readings(
    arrivals_us: Sequence[int], own_us: Sequence[int], attention: list[Span], rules: ReadingRules, luck: Luck
) -> Iterator[Reading]:
    """Give when somebody reads one conversation, in time order; what nobody looks at stays unread.

    Args:
        arrivals_us: of the messages of others there, ascending.
        own_us: when the reader begins each own word there, ascending.
        attention: when the reader looks or acts.
        luck: of this reader and conversation, by place of the first message read.
    """
    law = LogNormal.of_median(max(rules.reading_median_us, 1) / US_PER_S, _LOOK_SIGMA)
    place = 0
    while place < len(arrivals_us):
        came_us = arrivals_us[place]
        span = containing(attention, came_us)
        if span < 0:
            span = following(attention, came_us)
            if span == len(attention):
                return
        begin_us, end_us = attention[span]
        read_us = max(came_us, begin_us) + int(law.at(luck.at(place)) * US_PER_S)
        # The look lasts long enough, and nobody answers before.
        word = bisect_right(own_us, came_us)
        latest_us = min(end_us - 1, own_us[word] if word < len(own_us) else end_us)
        read_us = max(came_us, min(read_us, latest_us))
        end = max(place + 1, bisect_left(arrivals_us, read_us + 1))
        yield Reading(read_us, place, end)
        place = end


def sends_receipts(rules: ReadingRules, seeds: Seeds, account: int) -> bool:
    """Say whether an account switched receipts on. Args: seeds: luck ("receipts") by account."""
    return Luck(seeds, "receipts").at(account) < rules.receipt_share
