"""Expiries: changed one by one or each, shortened, extended, brought down together, and told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
DAY_MS = 86_400_000
UNKNOWN = "z" * 43


@pytest.fixture
def by(make_world: Make, caller: Make) -> Any:
    world = make_world()
    return caller(world, world.person(0))


def expiry(by: Any, hash_: str, node: int = 4) -> int:
    return int(by.world.machines[node].store.find(by.person.id, hash_).message.expiry_ms)


def test_one_expiry_for_all_goes_both_ways(by: Any) -> None:
    one, two = by.put(b"one", ttl_ms=2 * DAY_MS) + by.put(b"two", namespace=5, ttl_ms=9 * DAY_MS)
    wanted = by.world.now_ms + 5 * DAY_MS
    for part in by.parts(0, by.expire([two, UNKNOWN, one, two], [wanted])).values():
        assert part.fields == {
            "expiry": wanted,
            "updated": sorted([one, two]),
            "signature": part.fields["signature"],
        }
    assert expiry(by, one) == expiry(by, two) == wanted


@pytest.mark.parametrize("mode", ["shorten", "extend"])
def test_shorten_and_extend_go_one_way_and_name_what_they_left(by: Any, mode: str) -> None:
    early, late = by.put(b"early", ttl_ms=2 * DAY_MS) + by.put(b"late", ttl_ms=9 * DAY_MS)
    before = {hash_: expiry(by, hash_) for hash_ in (early, late)}
    wanted = by.world.now_ms + 5 * DAY_MS
    changed, left = (late, early) if mode == "shorten" else (early, late)
    fields = by.parts(0, by.expire([early, late, UNKNOWN], [wanted], mode))[4].fields
    assert fields["updated"] == [changed]
    assert fields["unchanged"] == {left: before[left]}
    assert (expiry(by, changed), expiry(by, left)) == (wanted, before[left])
    # The same again changes nothing, and says so.
    fields = by.parts(0, by.expire([changed], [wanted], mode))[4].fields
    assert (fields["updated"], fields["unchanged"]) == ([], {changed: wanted})


def test_an_expiry_each_is_told_for_what_was_updated(by: Any) -> None:
    hashes = sorted(by.put(b"one", b"two", b"three"))
    now = by.world.now_ms
    wanted = [now + (3 + n) * DAY_MS for n in range(4)]
    asked = [hashes[2], UNKNOWN, hashes[0], hashes[1]]
    fields = by.parts(0, by.expire(asked, wanted))[4].fields
    assert fields["updated"] == hashes
    assert fields["expiry"] == [wanted[2], wanted[3], wanted[0]]
    assert [expiry(by, hash_) for hash_ in hashes] == fields["expiry"]
    fields = by.parts(0, by.expire(asked, [now + 4 * DAY_MS] * 4, "extend"))[4].fields
    assert (fields["updated"], fields["expiry"]) == ([hashes[2]], [now + 4 * DAY_MS])
    assert fields["unchanged"] == {hashes[0]: wanted[2], hashes[1]: wanted[3]}


def test_nothing_lives_longer_than_thirty_days_from_now(by: Any) -> None:
    (one,) = by.put(b"one")
    fields = by.parts(0, by.expire([one], [by.world.now_ms + 400 * DAY_MS]))[0].fields
    hop_ms = by.world.latency_us // 1000
    asked_ms = by.world.now_ms - 3 * hop_ms  # when the first node got it
    assert fields["expiry"] == asked_ms + 30 * DAY_MS == expiry(by, one, 0)
    # Members cap by their own clocks, so theirs is later by the way there.
    assert expiry(by, one, 4) == asked_ms + hop_ms + 30 * DAY_MS


def test_an_expiry_may_lie_a_minute_behind(by: Any) -> None:
    hop_ms = by.world.latency_us // 1000
    (one,) = by.put(b"one")
    by.world.run(2_000_000)
    status, text = by.ask(0, by.expire([one], [by.world.now_ms - 60_001 + hop_ms]))
    assert (status, text) == (401, "expire: timestamp should be >= current time")
    assert (
        by.ask(0, by.expire([one, UNKNOWN], [by.world.now_ms + DAY_MS, by.world.now_ms - 60_001]))[0] == 401
    )
    assert by.ask(0, by.expire([one], [by.world.now_ms - 60_000 + hop_ms]))[0] == 200
    by.world.now_us += 15_000_000
    assert by.ask(0, by.get_expiries(["all"]))[1]["expiries"] == {}


def test_expire_all_brings_later_ones_down_only(by: Any) -> None:
    early, late = by.put(b"early", ttl_ms=2 * DAY_MS) + by.put(b"late", ttl_ms=9 * DAY_MS)
    (other,) = by.put(b"other", namespace=5, ttl_ms=9 * DAY_MS)
    before, wanted = expiry(by, early), by.world.now_ms + 5 * DAY_MS
    assert by.parts(0, by.expire_all(wanted))[4].fields["updated"] == [late]
    assert (expiry(by, early), expiry(by, late)) == (before, wanted)
    assert by.parts(0, by.expire_all(wanted, None))[4].fields["updated"] == {"5": [other]}
    status, text = by.ask(0, by.expire_all(by.world.now_ms - 60_100))
    assert (status, text) == (406, "expire_all timestamp should be >= current time")


def test_expiries_are_told_for_hashes_or_for_all(by: Any) -> None:
    one, two = by.put(b"one", ttl_ms=2 * DAY_MS) + by.put(b"two", namespace=5, ttl_ms=9 * DAY_MS)
    status, answer = by.ask(2, by.get_expiries([two, UNKNOWN, "no hash at all"]))
    assert (status, answer) == (200, {"expiries": {two: expiry(by, two)}})
    assert by.ask(2, by.get_expiries(["all"]))[1]["expiries"] == {
        one: expiry(by, one),
        two: expiry(by, two),
    }
    # The word stands for all only by itself.
    assert by.ask(2, by.get_expiries(["all", one]))[1]["expiries"] == {one: expiry(by, one)}


def test_storing_again_prolongs_and_never_shortens(by: Any) -> None:
    (one,) = by.put(b"one", ttl_ms=5 * DAY_MS)
    first = expiry(by, one)
    _status, answer = by.ask(0, by.store(b"one", ttl_ms=2 * DAY_MS))
    entry = answer["swarm"][by.world.nodes.ed25519[4].hex()]
    assert entry["already"] is True or entry["already"] == 1
    assert expiry(by, one) == first
    by.put(b"one", ttl_ms=9 * DAY_MS)
    assert expiry(by, one) > first + 3 * DAY_MS


def test_retrieves_show_new_expiries(by: Any) -> None:
    (one,) = by.put(b"one")
    wanted = by.world.now_ms + DAY_MS
    by.parts(0, by.expire([one], [wanted], "shorten"))
    (message,) = by.ask(3, by.retrieve())[1]["messages"]
    assert message["expiration"] == wanted
