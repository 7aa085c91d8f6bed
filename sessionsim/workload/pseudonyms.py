"""Messages to pseudonyms: somebody who reads a post in a room writes to its author alone.

All that the writer knows of the author is the pseudonym that the room shows, so the message goes through the
community's inbox and makes a message request (messages 3.2, 8). How often people do so is not published.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sessionsim.core.intents import InboxText, Post, Reader, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.workload.draws import Luck, pick
from sessionsim.workload.fits import REPLY_DELAY
from sessionsim.workload.lengths import message
from sessionsim.workload.rhythm import Clock, wait_until


@dataclass(frozen=True)
class PseudonymRules:
    """Settings of messages to pseudonyms."""

    inbox_share: float = setting(
        0.02,
        unit="prob",
        doc="Share of posts to which a reader of the room writes to their author through the inbox.",
        source="Assumption: one post in fifty; the wait is that of answers (metrics 4.1)",
        low=0.0,
        high=1.0,
    )


def pseudonym_texts(
    happened: Iterable[Wish], rules: PseudonymRules, clocks: Sequence[Clock], end_us: int, seeds: Seeds
) -> list[InboxText]:
    """Give the messages to authors of posts, in time order, times in [0, end_us).

    Args:
        happened: who reads which room, and posts; anything else is passed over.
        clocks: of all accounts.
        seeds: luck ("pseudonym", room, author) by number of the post.
    """
    wishes = tuple(happened)
    readers: dict[int, list[int]] = defaultdict(list)
    for wish in wishes:
        if isinstance(wish, Reader):
            readers[wish.room].append(wish.sender)
    drawn: list[tuple[int, int, int, int, str]] = []
    for wish in wishes:
        if not isinstance(wish, Post):
            continue
        luck, row = Luck(seeds, "pseudonym", wish.room, wish.sender), wish.number
        others = sorted(set(readers[wish.room]) - {wish.sender})
        if not others or luck.at(row, 0) >= rules.inbox_share:
            continue
        who = pick(others, luck.at(row, 1))
        t_s = wait_until(REPLY_DELAY, clocks[who], wish.t_us / US_PER_S, luck.at(row, 2), luck.at(row, 3))
        body = message(luck.at(row, 4), luck.at(row, 5))
        drawn.append((int(t_s * US_PER_S), who, wish.sender, wish.room, body))
    numbers: Counter[tuple[int, int]] = Counter()
    found = []
    for t_us, who, author, room, body in sorted(drawn):
        if t_us < end_us:
            found.append(InboxText(t_us, who, author, room, body, numbers[who, author]))
            numbers[who, author] += 1
    return found
