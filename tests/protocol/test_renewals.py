"""When subscriptions are renewed: within their window, at once when asked, and nothing lost."""

from __future__ import annotations

from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MIN
from sessionsim.protocol.push.renewals import Renewals
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.wire.monitor import SUBSCRIPTION_LIFE_US

ACCOUNTS = [bytes([5, n]) + bytes(31) for n in range(40)]


def renewals() -> Renewals:
    return Renewals(PushRules(), Entropy(bytes(32)))


def taken(one: Renewals, node: int, now_us: int, room: int = 1 << 30) -> list[bytes]:
    found: list[bytes] = []

    def take(account: bytes) -> bool:
        found.append(account)
        return len(found) < room

    one.take(node, now_us, take)
    return found


def test_new_accounts_are_due_at_once_and_then_after_45_to_55_minutes() -> None:
    one = renewals()
    for account in ACCOUNTS:
        one.add(7, account)
    assert one.next_us(7) == -1
    assert taken(one, 7, 1_000_000) == ACCOUNTS
    assert taken(one, 7, 1_000_000 + 45 * US_PER_MIN - 1) == []
    times = {}
    for second in range(45 * 60, 55 * 60 + 1):
        for account in taken(one, 7, 1_000_000 + second * 1_000_000):
            times[account] = second
    assert set(times) == set(ACCOUNTS)
    assert len(set(times.values())) > 30  # spread
    assert PushRules().renew_most_us < SUBSCRIPTION_LIFE_US


def test_every_account_is_renewed_before_its_node_forgets_it_for_a_day() -> None:
    one = renewals()
    for account in ACCOUNTS[:5]:
        one.add(7, account)
    last = dict.fromkeys(ACCOUNTS[:5], 0)
    for minute in range(24 * 60):
        now_us = minute * US_PER_MIN
        for account in taken(one, 7, now_us):
            assert now_us - last[account] <= 56 * US_PER_MIN
            last[account] = now_us
    assert all(now_us - at < 56 * US_PER_MIN for at in last.values())


def test_adding_again_changes_nothing_unless_at_once() -> None:
    one = renewals()
    one.add(7, ACCOUNTS[0])
    taken(one, 7, 0)
    one.add(7, ACCOUNTS[0])
    assert taken(one, 7, US_PER_MIN) == []
    one.add(7, ACCOUNTS[0], at_once=True)
    one.add(7, ACCOUNTS[0], at_once=True)
    assert taken(one, 7, US_PER_MIN) == [ACCOUNTS[0]]
    # The earlier appointment is void.
    assert one.next_us(7) is not None
    assert one.next_us(7) >= 46 * US_PER_MIN  # type: ignore[operator]


def test_nodes_are_apart_and_a_lost_connection_renews_all() -> None:
    one = renewals()
    one.add(7, ACCOUNTS[0])
    one.add(8, ACCOUNTS[1])
    assert (one.accounts(7), one.accounts(8), one.accounts(9)) == ((ACCOUNTS[0],), (ACCOUNTS[1],), ())
    assert taken(one, 7, 0) == [ACCOUNTS[0]]
    assert taken(one, 8, 0) == [ACCOUNTS[1]]
    one.reconnected(7)
    assert taken(one, 7, 1) == [ACCOUNTS[0]]
    assert taken(one, 8, 1) == taken(one, 9, 1) == []
    assert one.next_us(9) is None


def test_a_dropped_account_is_not_renewed() -> None:
    one = renewals()
    for account in ACCOUNTS[:2]:
        one.add(7, account)
    one.drop(7, ACCOUNTS[0])
    one.drop(7, ACCOUNTS[9])
    assert taken(one, 7, 0) == [ACCOUNTS[1]]


def test_what_has_no_room_waits_for_the_next_call() -> None:
    one = renewals()
    for account in ACCOUNTS:
        one.add(7, account)
    assert [taken(one, 7, 0, room=16) for _ in range(4)] == [
        ACCOUNTS[:16],
        ACCOUNTS[16:32],
        ACCOUNTS[32:],
        [],
    ]
