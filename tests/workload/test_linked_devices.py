from collections import Counter
from itertools import pairwise

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Device, DeviceChange, Intent, Presence, Wish, kinds_of, order_of
from sessionsim.core.people import People
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_H
from sessionsim.workload.patterns.linked_devices import Config, LinkedDevices

WEEK_US = 7 * US_PER_DAY


def wishes(n: int = 4, horizon_us: int = WEEK_US, seed: int = 1, **config: float) -> list[Wish]:
    return LinkedDevices(Config(**config)).intents(People.alike(n), horizon_us, Seeds(seed))  # type: ignore[arg-type]


def test_every_account_has_so_many_devices_of_the_platforms_that_there_are() -> None:
    people = People(("desktop", "android", "desktop", "ios"), ("DE",) * 4)
    found = LinkedDevices(Config()).intents(people, WEEK_US, Seeds(1))
    devices = [wish for wish in found if isinstance(wish, Device)]
    assert Counter(wish.sender for wish in devices) == {k: 3 for k in range(4)}
    assert [(wish.device, wish.platform) for wish in devices if wish.sender == 2] == [
        (1, "ios"), (2, "android"), (3, "desktop"),
    ]  # fmt: skip
    assert {wish.platform for wish in wishes() if isinstance(wish, Device)} == {"desktop"}
    assert not any(isinstance(wish, Device) for wish in wishes(devices=1, often_offline=0))


def test_accounts_can_differ_in_their_devices() -> None:
    found = wishes(7, devices=3, often_offline=1, varied=True)
    devices = Counter(wish.sender for wish in found if isinstance(wish, Device))
    assert [1 + devices[k] for k in range(7)] == [1, 2, 3, 1, 2, 3, 1]
    always = {(wish.sender, wish.device) for wish in found if isinstance(wish, Presence)}
    assert len(always) == 1 + 2 + 3 + 1 + 2 + 3 + 1
    # The first device of whoever has only one does not go.
    assert [w.on for w in found if isinstance(w, Presence) and w.sender == 0] == [True]
    with pytest.raises(InvalidInput, match="guests"):
        Config(varied=True, guests=1)


def test_wishes_are_in_order_of_known_kinds_and_inside_the_horizon() -> None:
    found = wishes()
    assert found == sorted(found, key=order_of)
    assert kinds_of(found) == LinkedDevices(Config()).kinds()
    assert all(0 <= wish.t_us < WEEK_US for wish in found)


def test_texts_are_as_frequent_as_wished_and_numbered() -> None:
    texts = [wish for wish in wishes(2, 60 * US_PER_DAY, texts_per_day=20) if isinstance(wish, Intent)]
    mine = [wish for wish in texts if wish.sender == 0]
    assert len(mine) == pytest.approx(1200, abs=4 * 1200**0.5)
    assert [wish.number for wish in mine] == list(range(len(mine)))
    assert {(wish.recipient, wish.device) for wish in mine} == {(1, 0)}


def test_the_last_devices_come_and_go_with_the_share_and_the_mean() -> None:
    horizon = 2000 * US_PER_DAY
    found = [wish for wish in wishes(2, horizon, texts_per_day=0.01) if isinstance(wish, Presence)]
    for device in (0, 1):
        assert [(w.t_us, w.on) for w in found if (w.sender, w.device) == (0, device)] == [(0, True)]
    for device in (2, 3):
        mine = [wish for wish in found if (wish.sender, wish.device) == (0, device)]
        assert [wish.number for wish in mine] == list(range(len(mine)))
        assert all(a.on is not b.on for a, b in pairwise(mine))
        spans = [(a.on, b.t_us - a.t_us) for a, b in pairwise(mine)]
        online, offline = (sum(us for on, us in spans if on is state) for state in (True, False))
        assert online / (online + offline) == pytest.approx(0.15, abs=0.02)
        assert offline / sum(not on for on, _ in spans) / US_PER_H == pytest.approx(20, rel=0.1)


def test_a_device_begins_in_the_long_run() -> None:
    begun = [
        wish.on
        for seed in range(40)
        for wish in wishes(10, US_PER_H, seed)
        if isinstance(wish, Presence) and wish.t_us == 0 and wish.device > 1
    ]
    assert sum(begun) / len(begun) == pytest.approx(0.15, abs=0.04)


def test_more_accounts_and_a_longer_run_move_nothing() -> None:
    few, many = wishes(4, US_PER_DAY), wishes(6, 3 * US_PER_DAY)
    assert few == [wish for wish in many if wish.t_us < US_PER_DAY and wish.sender < 4]


def test_one_device_must_stay() -> None:
    with pytest.raises(InvalidInput, match="fewer than the 2 devices"):
        Config(devices=2, often_offline=2)


def changes(*args: int, **config: float) -> list[DeviceChange]:
    return [wish for wish in wishes(*args, **config) if isinstance(wish, DeviceChange)]


def test_without_guests_nobody_changes_devices() -> None:
    assert changes() == []
    assert "device-change" not in LinkedDevices(Config()).kinds()


def test_guests_are_linked_and_go_in_turn() -> None:
    found = wishes(2, 300 * US_PER_DAY, guests=2, texts_per_day=0.01)
    assert kinds_of(found) == LinkedDevices(Config(guests=2)).kinds()
    assert found == sorted(found, key=order_of)
    devices = [wish for wish in found if isinstance(wish, Device) and wish.sender == 0]
    assert [(wish.device, wish.linked) for wish in devices] == [
        (1, True), (2, True), (3, True), (4, False), (5, False),
    ]  # fmt: skip
    mine = [wish for wish in found if isinstance(wish, DeviceChange) and wish.sender == 0]
    assert [wish.number for wish in mine] == list(range(len(mine)))
    for guest in (4, 5):
        its = [wish for wish in mine if guest in (wish.device, wish.subject)]
        assert [wish.what == "link" for wish in its] == [k % 2 == 0 for k in range(len(its))]
        assert {(wish.device, wish.subject) for wish in its if wish.what == "link"} == {(guest, 0)}
        assert {(wish.device, wish.subject) for wish in its if wish.what == "remove"} == {(0, guest)}
        assert {(wish.device, wish.subject) for wish in its if wish.what == "leave"} == {(guest, guest)}
        online = [
            wish for wish in found if isinstance(wish, Presence) and (wish.sender, wish.device) == (0, guest)
        ]
        assert [wish.on for wish in online] == [k % 2 == 1 for k in range(len(online))]
        assert [wish.number for wish in online] == list(range(len(online)))
        comes = [wish.t_us for wish in its if wish.what == "link"]
        assert [wish.t_us for wish in online if wish.on] == comes
        went = [wish.t_us for wish in its if wish.what != "link"]
        assert all(off.t_us - t_us == 600_000_000 for t_us, off in zip(went, online[2::2], strict=False))


def test_a_guest_may_be_the_second_device() -> None:
    found = wishes(2, 30 * US_PER_DAY, devices=1, often_offline=0, guests=1, texts_per_day=0.01)
    online = [
        wish.on for wish in found if isinstance(wish, Presence) and (wish.sender, wish.device) == (0, 1)
    ]
    assert online[:4] == [False, True, False, True]


def test_guests_stay_and_are_away_as_long_as_wished() -> None:
    found = changes(2, 3000 * US_PER_DAY, guests=1, guest_away_us=6 * US_PER_H, guest_stay_us=48 * US_PER_H,
                    guests_removed_prob=0.3, texts_per_day=0.01)  # fmt: skip
    mine = [wish for wish in found if wish.sender == 0]
    spans = [(a.what, b.t_us - a.t_us) for a, b in pairwise(mine)]
    stays = [us / US_PER_H for what, us in spans if what == "link"]
    away = [us / US_PER_H for what, us in spans if what != "link"]
    assert sum(stays) / len(stays) == pytest.approx(48, rel=0.1)
    assert sum(away) / len(away) == pytest.approx(6, rel=0.1)
    assert min(stays) >= 0.5
    goings = [wish.what for wish in mine if wish.what != "link"]
    assert goings.count("remove") / len(goings) == pytest.approx(0.3, abs=0.05)


def test_guests_move_nobody_else_and_a_longer_run_moves_no_guest() -> None:
    with_guests = wishes(4, US_PER_DAY, guests=2, guest_away_us=US_PER_H, guest_stay_us=US_PER_H)
    ours = [
        wish for wish in with_guests if getattr(wish, "device", 0) < 4 and not isinstance(wish, DeviceChange)
    ]
    assert ours == wishes(4, US_PER_DAY)
    longer = wishes(4, 2 * US_PER_DAY, guests=2, guest_away_us=US_PER_H, guest_stay_us=US_PER_H)
    assert [wish for wish in longer if wish.t_us < US_PER_DAY] == with_guests


def test_some_are_taken_out_on_two_devices_at_once() -> None:
    config = {"guests": 1, "guest_away_us": 6 * US_PER_H, "guest_stay_us": 6 * US_PER_H}
    horizon = 500 * US_PER_DAY
    found = changes(
        2, horizon, removed_twice_prob=0.25, guests_removed_prob=1.0, texts_per_day=0.01, **config
    )
    assert [wish.number for wish in found if wish.sender == 0] == list(
        range(sum(w.sender == 0 for w in found))
    )
    first = {wish.t_us for wish in found if (wish.what, wish.device) == ("remove", 0)}
    second = {wish.t_us for wish in found if (wish.what, wish.device) == ("remove", 1)}
    assert second < first
    assert len(second) / len(first) == pytest.approx(0.25, abs=0.05)
    with_presence = wishes(
        2, horizon, removed_twice_prob=1.0, guests_removed_prob=1.0, texts_per_day=0.01, **config
    )
    online = [
        wish for wish in with_presence if isinstance(wish, Presence) and (wish.sender, wish.device) == (0, 4)
    ]
    assert [wish.number for wish in online] == list(range(len(online)))
    assert all(a.on is not b.on for a, b in pairwise(online))
    with pytest.raises(InvalidInput, match="two devices are always online"):
        Config(devices=2, often_offline=1, removed_twice_prob=0.1)


def test_an_account_has_at_most_eight_devices() -> None:
    assert Config(devices=6, guests=2).guests == 2
    with pytest.raises(InvalidInput, match="at most 2"):
        Config(devices=6, guests=3)
