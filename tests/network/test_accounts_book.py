"""What became of each message, and that none is forgotten: cases worked by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.intents import GroupText, Intent, Wish
from sessionsim.core.truth import DELIVERY_COLUMNS, MESSAGE_COLUMNS
from sessionsim.network.accounts_book import LOCKED, NEVER, NOT_YET, Book, Closing
from sessionsim.network.devices import Seat
from sessionsim.network.journal import MessageJournal
from sessionsim.network.orders import orders_of
from sessionsim.protocol.machine import DELIVER, LOG

FIRST = 10
# Accounts 0, 1 and 2 at endpoints 10, 11 and 12; 0 and 1 have a second device, at 13 and 14.
SEATS = tuple(Seat(account, number, "ios") for account, number in ((0, 0), (1, 0), (2, 0), (0, 1), (1, 1)))
IDS = {bytes([5, account]): account for account in range(3)}
HELLO = Intent(10, 0, 1, "hello")
END = Closing(t_us=1_000_000, epoch_ms=50_000)  # 51 s by the clock of the nodes
EXPIRY_MS = 60_000


class Story:
    """A run told by hand: wishes, then what machines say of them."""

    def __init__(self, *wishes: Wish) -> None:
        self.orders = orders_of(wishes)
        self.journal = MessageJournal(self.orders, SEATS, FIRST, IDS)

    def log(self, endpoint: int, ref: int, **said: Any) -> Story:
        for what, value in said.items():
            self.journal.log(endpoint, (LOG, what, ref, value), 0)
        return self

    def stored(self, ref: int = 0, at: int = 10, expiry_ms: int = EXPIRY_MS, **more: Any) -> Story:
        return self.log(at, ref, hash=f"h{ref}", written=(50_000, expiry_ms), attempts=1, stored=100, **more)

    def shown(self, endpoint: int, ref: int = 0, t_us: int = 200, *, sync: bool = False) -> Story:
        effect = (DELIVER, b"", 5, self.orders[ref].body, f"{'s' if sync else 'h'}{ref}")
        self.journal.deliver(endpoint, effect, t_us)
        return self

    def book(self, closing: Closing = END, **also: Any) -> Book:
        return Book(self.journal, replace(closing, **also), (0, 15))

    def rows(self, closing: Closing = END, **also: Any) -> list[tuple[Any, ...]]:
        table = self.book(closing, **also).deliveries()
        names = ("message", "endpoint", "copy", "delivered_us", "outcome", "reason")
        rows = zip(*(table[name].tolist() for name in names), strict=True)
        return sorted(rows, key=lambda row: (row[0], row[2], row[1]))

    def whole(self, ref: int = 0, **also: Any) -> tuple[str, str]:
        table = self.book(**also).messages()
        return table["outcome"][ref], table["reason"][ref]


def is_held(_hash: str) -> bool:
    return True


def test_a_direct_message_is_for_every_device_of_its_reader() -> None:
    story = Story(HELLO).stored().shown(14)
    assert story.rows(is_held=is_held) == [
        (0, 11, "message", -1, "waiting", "in the swarm"),
        (0, 14, "message", 200, "delivered", ""),
    ]
    assert story.whole(is_held=is_held) == ("delivered", "")


def test_what_a_device_has_and_cannot_open_waits_for_a_key_also_after_its_time_in_the_swarm() -> None:
    story = Story(HELLO).stored().shown(14)
    for closing in ({"is_held": is_held}, {"is_held": lambda _: False}, {"t_us": 20_000_000}):
        assert story.rows(locked={1: {"h0"}}, **closing) == [
            (0, 11, "message", -1, "waiting", LOCKED),
            (0, 14, "message", 200, "delivered", ""),
        ]
    # Another device's, and what was shown after all, make no difference.
    assert story.rows(is_held=is_held, locked={0: {"h0"}, 4: {"h0"}, 1: {"other"}}) == [
        (0, 11, "message", -1, "waiting", "in the swarm"),
        (0, 14, "message", 200, "delivered", ""),
    ]
    own = Story(HELLO).stored().shown(11).shown(14).log(10, 0, sync_hash="s0").log(10, 0, sync_stored=300)
    assert own.rows(is_held=is_held, locked={3: {"s0"}})[2:] == [(0, 13, "sync", -1, "waiting", LOCKED)]


def test_copies_for_the_writers_other_devices_have_rows_once_they_are_made() -> None:
    story = Story(HELLO).stored().shown(11).shown(14)
    assert [row[2] for row in story.rows()] == ["message", "message"]
    story.log(10, 0, sync_hash="s0")
    assert story.rows(pending_copies={0})[2:] == [(0, 13, "sync", -1, "waiting", "with its sender")]
    story.log(10, 0, sync_stored=300)
    assert story.rows(is_held=is_held)[2:] == [(0, 13, "sync", -1, "waiting", "in the swarm")]
    story.shown(13, t_us=400, sync=True)
    assert story.rows()[2:] == [(0, 13, "sync", 400, "delivered", "")]


def test_a_copy_that_was_given_up_is_refused_and_the_message_is_not() -> None:
    story = Story(HELLO).stored().shown(11).shown(14).log(10, 0, sync_hash="s0", sync_failed="status 0")
    assert story.rows()[2:] == [(0, 13, "sync", -1, "refused", "status 0")]
    assert story.whole() == ("delivered", "")


def test_a_copy_that_nobody_works_on_is_unaccounted_for() -> None:
    story = Story(HELLO).stored().shown(11).log(10, 0, sync_hash="s0")
    with pytest.raises(LocalProtocolError, match="unaccounted"):
        story.book(is_held=is_held)


@pytest.mark.parametrize(
    ("expiry_ms", "also", "outcome", "reason"),
    [
        (51_001, {"is_held": is_held}, "waiting", "in the swarm"),
        (51_000, {"is_held": is_held}, "expired", "not fetched in time"),
        (51_001, {}, "lost", "no node holds it"),
        (51_001, {"deleted": {0}}, "lost", "deleted by its author"),
    ],
)
def test_what_becomes_of_a_stored_message_that_nobody_fetched(
    expiry_ms: int, also: dict[str, Any], outcome: str, reason: str
) -> None:
    story = Story(HELLO).stored(expiry_ms=expiry_ms)
    assert story.whole(**also) == (outcome, reason)
    assert {row[4:] for row in story.rows(**also)} == {(outcome, reason)}


def test_what_its_sender_gave_up_is_refused_with_the_reason() -> None:
    assert Story(HELLO).log(10, 0, failed="status 504").whole() == ("refused", "status 504")


def test_what_its_sender_gave_up_but_its_reader_has_is_delivered() -> None:
    story = Story(HELLO).log(10, 0, hash="h0", failed="status 0").shown(11)
    assert story.whole() == ("delivered", "")
    assert [row[4:] for row in story.rows()] == [("delivered", ""), ("refused", "status 0")]


def test_what_is_not_begun_says_what_it_waits_for() -> None:
    assert Story(HELLO).whole(pending={0}) == ("waiting", "with its sender")
    assert Story(HELLO).whole(unasked={0: "after the end"}) == ("waiting", "after the end")
    stored, gone = Story(HELLO, HELLO).stored(), Story(HELLO, HELLO).log(10, 0, failed="status 504")
    assert stored.whole(1, awaited={1: {0}}, is_held=is_held) == ("waiting", NOT_YET)
    assert stored.whole(1, awaited={1: {0}}) == ("refused", NEVER)  # it is lost
    assert gone.whole(1, awaited={1: {0}}) == ("refused", NEVER)
    assert stored.whole(1, awaited={1: {-2}}, is_held=is_held) == ("refused", NEVER)  # nobody writes it
    chain = Story(HELLO, HELLO, HELLO)
    assert chain.whole(2, awaited={2: {1}, 1: {0}}, unasked={0: "after the end"}) == ("waiting", NOT_YET)


@pytest.mark.parametrize(
    ("story", "also", "said"),
    [
        (Story(HELLO), {}, "unaccounted"),
        (Story(HELLO).stored(), {"pending": {0}}, "stored and with its sender"),
        (Story(HELLO).stored(failed="status 0"), {}, "stored and given up"),
        (Story(HELLO).log(10, 0, failed="x"), {"unasked": {0: "late"}}, "given up and not begun"),
        (Story(HELLO).log(10, 0, hash="h0").shown(11).shown(14), {}, "unaccounted|nowhere"),
        (Story(HELLO).stored().shown(11, t_us=9), {}, "before anybody wished it"),
    ],
)
def test_what_is_accounted_for_twice_or_not_at_all_ends_the_run(
    story: Story, also: dict[str, Any], said: str
) -> None:
    with pytest.raises(LocalProtocolError, match=said):
        story.book(**also)


def test_a_group_has_the_message_when_all_who_were_in_it_have_it() -> None:
    story = Story(GroupText(10, 0, 5, "all", 0)).stored(to=tuple(IDS))
    story.shown(11).shown(12)
    assert story.rows(is_held=is_held) == [
        (0, 11, "message", 200, "delivered", ""),
        (0, 12, "message", 200, "delivered", ""),
        (0, 13, "message", -1, "waiting", "in the swarm"),  # the writer's other device reads the group too
        (0, 14, "message", -1, "waiting", "in the swarm"),
    ]
    assert story.whole(is_held=is_held) == ("waiting", "in the swarm")
    assert story.shown(13).whole(is_held=is_held) == ("delivered", "")


def test_of_a_groups_readers_the_worst_off_speaks_for_the_message() -> None:
    story = Story(GroupText(10, 0, 5, "all", 0)).stored(to=(bytes([5, 1]), bytes([5, 2]))).shown(12)
    assert story.whole() == ("lost", "no node holds it")


def test_who_came_later_may_read_what_was_written_before() -> None:
    story = Story(GroupText(10, 0, 5, "all", 0)).stored(to=(bytes([5, 1]),)).shown(11).shown(12)
    assert story.rows()[0] == (0, 12, "beyond", 200, "delivered", "")
    assert story.whole() == ("delivered", "")


def test_a_message_for_nobody_else_is_done_when_it_is_stored() -> None:
    note = Intent(10, 2, 2, "note")
    assert Story(note).stored(at=12).whole() == ("delivered", "")
    assert Story(note).stored(at=12).rows() == []
    assert Story(note).whole(pending={0}) == ("waiting", "with its sender")
    alone = GroupText(10, 0, 5, "all", 0)
    assert Story(alone).stored(to=()).whole() == ("delivered", "")


def test_a_note_is_for_the_other_devices() -> None:
    note = Intent(10, 1, 1, "note", device=1)
    assert Story(note).stored(at=14).shown(11).rows() == [(0, 11, "message", 200, "delivered", "")]
    assert Story(note).rows(pending={0}) == [(0, 11, "message", -1, "waiting", "with its sender")]


def test_a_message_shown_after_a_later_one_was_overtaken_and_says_why() -> None:
    texts = [Intent(k, 0, 1, f"text {k}", k, device=k == 2) for k in range(4)]
    story = Story(*texts, Intent(9, 2, 1, "of another"))
    for ref, at in enumerate((10, 10, 13, 10, 12)):
        story.stored(ref, at)
    story.log(10, 0, attempts=2)
    for ref in (4, 3, 0, 1, 2):
        story.shown(11, ref)
    for ref in (0, 1, 2, 3, 4):
        story.shown(14, ref)
    table = story.book().deliveries()
    late = {
        (ref, end): why
        for ref, end, why in zip(
            table["message"].tolist(), table["endpoint"].tolist(), table["overtaken"].tolist(), strict=True
        )
        if why
    }
    assert late == {
        (0, 11): "stored again", (1, 11): "other replicas", (2, 11): "written on another device",
    }  # fmt: skip


def test_repeats_stand_beside_the_first_delivery() -> None:
    table = Story(HELLO).stored().shown(11).shown(11).shown(14).book().deliveries()
    assert table["repeated"].tolist() == [1, 0]
    assert table["repeat_cause"].tolist() == ["taken again", ""]


def test_the_tables_have_their_columns_and_keep_bytes_not_characters() -> None:
    story = Story(HELLO, Intent(15, 1, 0, "täxt 😀", device=1)).stored().shown(14, t_us=300).shown(11)
    story.stored(1, at=14).shown(10, 1).shown(13, 1)
    book = story.book()
    messages = book.messages()
    assert tuple(messages) == MESSAGE_COLUMNS
    assert set(book.deliveries()) == set(DELIVERY_COLUMNS)
    assert messages["body_bytes"].tolist() == [5, 10]
    assert messages["device"].tolist() == [0, 1]
    assert messages["delivered_us"].tolist() == [200, 200]  # by whichever device came first
    assert messages["measured"].tolist() == [True, False]  # the phase is half open
    assert book.deliveries()["account"].tolist() == [1, 1, 0, 0]


def test_an_empty_run_gives_empty_tables() -> None:
    book = Story().book()
    assert {len(column) for column in (*book.messages().values(), *book.deliveries().values())} == {0}
