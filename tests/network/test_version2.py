"""Who uses version 2; twins; and worlds in which some do: equal under both suites and both kernels."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from sessionsim.core.columns import DTYPE, Cause, split_note
from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import (
    ConfigChange,
    Device,
    DeviceChange,
    Intent,
    Presence,
    Reader,
    Wish,
    order_of,
)
from sessionsim.core.readings import Reading
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_DAY, US_PER_S
from sessionsim.metrics import METRICS, Replicate
from sessionsim.metrics.closed_forms.account_key_costs import group_message_bytes
from sessionsim.network.clients import ClientMix, place_clients
from sessionsim.network.devices import seats_of
from sessionsim.network.kernels import HeapKernel, Kernel, SimpyKernel
from sessionsim.network.version2 import (
    MOST_SEEDS,
    V2People,
    Version2,
    accounts_of,
    doubled,
    halves,
    opening_lead_us,
    standing_groups,
    twin_places,
)
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client import Client
from sessionsim.protocol.client.configs.part import AccountConfigs
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.client.v2.own_group import OwnGroup
from sessionsim.protocol.configs import KINDS, user_config
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.namespaces import CONTACTS, USER_PROFILE
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.v2 import V2Rules


def share(p: float, **people: object) -> Version2:
    return Version2(V2Rules(adoption_prob=p), V2People(**people))  # type: ignore[arg-type]


# ---- Who ----


def test_the_share_is_that_of_the_rules_and_more_share_takes_nobody_away() -> None:
    seeds = Seeds(3)
    members = [accounts_of(share(p), 2000, seeds) for p in (0, 0.1, 0.5, 0.9, 1)]
    assert [len(found) for found in (members[0], members[-1])] == [0, 2000]
    for p, found in zip((0.1, 0.5, 0.9), members[1:-1], strict=True):
        assert abs(len(found) - 2000 * p) < 4 * (2000 * p * (1 - p)) ** 0.5
    assert all(less <= more for less, more in pairwise(members))
    assert accounts_of(share(0.5), 2000, Seeds(4)) != members[2]
    assert accounts_of(share(0.5), 100, seeds) == {k for k in members[2] if k < 100}
    assert accounts_of(None, 2000, seeds) == frozenset()


def test_of_twins_the_second_half_uses_version_2() -> None:
    assert accounts_of(share(0, population="twins"), 10, Seeds(1)) == {5, 6, 7, 8, 9}


def test_halves_are_alike_and_mixed() -> None:
    assert halves(("android",) * 4 + ("ios",) * 2) == ("android", "ios", "android") * 2
    with pytest.raises(InvalidInput, match="odd number of ios"):
        halves(("android", "android", "ios"))


def test_every_wish_of_the_first_half_is_that_of_a_twin_too() -> None:
    wishes = (
        Device(0, 1, 1, "ios"),
        Presence(0, 1, 1, "online", True, 0),
        Intent(5, 0, 1, "hello", 0),
        Intent(7, 1, 0, "hi", 0),
    )
    found = doubled(wishes, 6)
    assert len(found) == 8
    assert [wish.sender for wish in found] == [1, 4, 1, 4, 0, 3, 1, 4]
    assert found[5] == Intent(5, 3, 4, "hello", 0)
    assert list(found) == sorted(found, key=order_of)
    with pytest.raises(InvalidInput, match="community"):
        doubled((Reader(0, 1, 0),), 6)


def test_twins_stand_in_one_place_with_addresses_of_their_own() -> None:
    seats = seats_of(
        ("ios", "android") * 2, (Device(0, 1, 1, "desktop"), Device(0, 3, 1, "desktop")), PLATFORMS.keys()
    )
    places = place_clients(6, ClientMix(), Seeds(1))
    found = twin_places(places, seats, 4)
    for one, other in ((0, 2), (1, 3), (4, 5)):
        assert replace(found[other], ip=0) == replace(found[one], ip=0)
        assert found[one] == places[one]
    assert len({place.ip for place in found}) == 6


def test_groups_are_of_different_ages_and_new_ones_are_not() -> None:
    seeds, suite = Seeds(2), suite_named("fast")
    accounts = tuple(account_from_seed(seeds.key("account", k)[:16]) for k in range(12))
    seats = seats_of(("ios",) * 12, (), PLATFORMS.keys())
    now_ms = 1_777_000_000_000
    old = standing_groups(share(1, group_age_us=2 * US_PER_DAY), accounts, seats, suite, seeds, now_ms)
    ages_h = sorted((now_ms / 1000 - one.devices[0].seeds[0].created_s) / 3600 for one in old.values())
    assert len(old) == 12
    # The first key of each, made with the group, is two days old and up to twelve hours more.
    begun_h = sorted((now_ms / 1000 - one.devices[0].seeds[-1].created_s) / 3600 for one in old.values())
    assert 48 <= begun_h[0] < 51
    assert 57 < begun_h[-1] <= 60
    assert ages_h[0] < 3
    assert ages_h[-1] > 8
    new = standing_groups(share(1, group_age_us=0), accounts, seats, suite, seeds, now_ms)
    assert {one.devices[0].seeds[0].created_s for one in new.values()} == {now_ms // 1000}
    few = standing_groups(share(0.5), accounts, seats, suite, seeds, now_ms)
    assert few.keys() == accounts_of(share(0.5), 12, seeds)


# ---- Worlds ----

INTENTS = (
    Device(0, 0, 1, "ios"),
    Intent(15 * US_PER_S, 0, 1, "hello", 0),
    Intent(16 * US_PER_S, 1, 2, "täxt with ünicode", 0),
    Intent(17 * US_PER_S, 2, 3, "x" * 300, 0),
    Intent(25 * US_PER_S, 0, 1, "again", 1, device=1),
    Intent(26 * US_PER_S, 1, 0, "back", 0),
)
SPEC = WorldSpec(
    date="2026-04-28",
    limit_swarms=6,
    platforms=("desktop", "android", "ios", "desktop"),
    intents=INTENTS,
    horizon_us=50 * US_PER_S,
    measured=(0, 50 * US_PER_S),
    seeds=Seeds(7),
    epoch_ms=1_777_000_000_000,
    version2=share(1),
)


def run(spec: WorldSpec, kernel: Kernel | None = None) -> tuple[World, Truth, np.ndarray]:
    world = build(spec)
    records = MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))), kernel=kernel)
    table = records.table()
    rows = np.empty(len(table["src"]), DTYPE)
    for name in DTYPE.names:
        rows[name] = table[name]
    return world, truth, rows


@pytest.fixture(scope="module")
def plain() -> tuple[World, Truth, np.ndarray]:
    return run(SPEC)


def happened(truth: Truth) -> Counter[str]:
    return Counter(truth.events["what"].tolist())


def test_messages_arrive_as_version_2_at_all_devices(plain) -> None:
    _, truth, _ = plain
    assert list(truth.messages["outcome"]) == ["delivered"] * 5
    assert list(truth.accounts["version"]) == [2] * 4
    assert list(truth.accounts["twin"]) == [-1] * 4
    found = happened(truth)
    assert found["sealed v2"] == 5
    assert found["keys fresh"] == 5  # conversations were opened ahead
    # Account 0 has two devices: each gets what came, and the copy of what the other one wrote.
    assert found["opened v2"] == 5 + 1 + 2
    assert "locked" not in found


def test_the_swarm_holds_the_group_and_the_record_before_anybody_acts(plain) -> None:
    _, truth, _ = plain
    found = happened(truth)
    assert found["group merged"] == 5  # each of the five devices reads it once, and owes nothing
    assert found["membership in group"] == 5
    assert "group pushed" not in found
    assert "record foreign" not in found


def test_both_kernels_and_both_suites_give_equal_rows(plain) -> None:
    _, truth, rows = plain
    for other in (run(SPEC, HeapKernel()), run(replace(SPEC, suite="sodium")), run(SPEC, SimpyKernel())):
        assert np.array_equal(other[2], rows)
        for column in ("t_us", "endpoint", "what", "message", "value"):
            np.testing.assert_array_equal(other[1].events[column], truth.events[column])


def test_a_run_in_which_keys_change_gives_equal_rows_under_both_suites() -> None:
    """A new group per account, and keys that change within the run: pushes, fetches and locked messages."""
    rules = V2Rules(account_key_period_us=60 * US_PER_S, account_key_window_us=20 * US_PER_S)
    spec = replace(
        SPEC,
        version2=Version2(rules, V2People(group_age_us=0, opening_lead_us=0)),
        horizon_us=100 * US_PER_S,
    )
    (_, fast, rows), (_, sodium, others) = run(spec), run(replace(spec, suite="sodium"))
    assert np.array_equal(rows, others)
    assert happened(fast) == happened(sodium)
    assert happened(fast)["group pushed"] >= 4
    assert happened(fast)["record pushed"] >= 4


def test_without_a_share_nothing_differs_from_a_world_without_version_2() -> None:
    with_section, without = run(replace(SPEC, version2=share(0))), run(replace(SPEC, version2=None))
    assert np.array_equal(with_section[2], without[2])
    assert list(with_section[1].accounts["version"]) == [1] * 4


def test_people_of_version_1_are_not_touched_by_others_of_version_2() -> None:
    """Accounts 2 and 3 use version 1 in both worlds; 0 and 1 change. What 2 and 3 say does not."""
    intents = tuple(wish for wish in INTENTS if {wish.sender, getattr(wish, "recipient", 0)} != {1, 2})
    base = replace(SPEC, intents=intents, version2=None)
    seeds = next(Seeds(k) for k in range(200) if accounts_of(share(0.5), 4, Seeds(k)) == {0, 1})
    tables = []
    for version2 in (None, share(0.5)):
        world, truth, rows = run(replace(base, seeds=seeds, version2=version2))
        ends = [world.endpoint_of[k, 0] for k in (2, 3)]
        mine = rows[np.isin(rows["src"], ends) | np.isin(rows["dst"], ends)]
        tables.append(
            (mine[["t_sent_us", "t_recv_us", "app_bytes"]], truth.messages["delivered_us"].tolist())
        )
    assert np.array_equal(tables[0][0], tables[1][0])
    assert len(tables[0][0]) > 100
    texts = [wish for wish in intents if isinstance(wish, Intent)]
    between = [k for k, wish in enumerate(texts) if {wish.sender, wish.recipient} == {2, 3}]
    assert [tables[0][1][k] for k in between] == [tables[1][1][k] for k in between]
    assert tables[0][1] != tables[1][1]


def test_between_versions_texts_are_of_version_1() -> None:
    seeds = next(Seeds(k) for k in range(200) if accounts_of(share(0.5), 4, Seeds(k)) == {1})
    _, truth, _ = run(replace(SPEC, seeds=seeds, version2=share(0.5)))
    assert list(truth.messages["outcome"]) == ["delivered"] * 5
    found = happened(truth)
    assert found["sealed v1"] == 2  # account 1 writes twice, to people who publish nothing
    assert found["keys refused"] == 2
    assert found["opened v1"] == 2  # and gets two from one of them
    assert not {"sealed v2", "opened v2", "opened v2 fallback"} & found.keys()


def test_what_keys_cost_has_a_cause_of_its_own(plain) -> None:
    _, _, rows = plain
    causes, _refs = split_note(rows["note"])
    keys = rows[causes == int(Cause.ACCOUNT_KEYS)]
    assert len(keys) > 0
    assert set((keys["exchange"][keys["exchange"] >= 0] & 15).tolist()) >= {15}
    assert not (causes == int(Cause.CONFIG)).any()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_who_gets_what_follows_from_who_uses_what(p: float) -> None:
    """Everybody writes to everybody: version 2 goes to those who publish keys and version 1 to all others."""
    n = 8
    wishes = [
        Intent((5 + 3 * k + a) * US_PER_S, a, (a + k) % n, f"{a} {k}", 0)
        for k in range(1, n)
        for a in range(n)
    ]
    wishes.sort(key=order_of)
    spec = replace(
        SPEC, platforms=("desktop",) * n, intents=tuple(wishes), horizon_us=70 * US_PER_S, version2=share(p)
    )  # fmt: skip
    world = build(spec)
    truth = world.run()
    members = accounts_of(share(p), n, spec.seeds)
    assert 0 < len(members) < n or p != 0.5
    assert set(truth.messages["outcome"]) == {"delivered"}
    forms = ("sealed v1", "sealed v2", "sealed v2 fallback")
    sealed = {
        int(ref): str(what)
        for what, ref in zip(truth.events["what"], truth.events["message"], strict=True)
        if what in forms
    }
    for ref, (a, b) in enumerate(
        zip(truth.messages["sender"].tolist(), truth.messages["recipient"].tolist(), strict=True)
    ):
        expected = None if a not in members else forms[1] if b in members else forms[0]
        assert sealed.get(ref) == expected


def test_a_group_message_with_as_many_seeds_as_a_run_may_keep_fits_into_a_swarm() -> None:
    assert group_message_bytes(8, MOST_SEEDS, 64) <= 76_800 < group_message_bytes(8, MOST_SEEDS * 4 // 3, 64)


# ---- Devices that come and go ----


def visits(*more: Wish, **people: object) -> WorldSpec:
    """Account 0 has two devices and a guest, which comes after a minute."""
    wishes = (
        Device(0, 0, 1, "ios"),
        Device(0, 0, 2, "desktop", linked=False),
        Presence(0, 0, 2, "online", False, 0),
        Presence(60 * US_PER_S, 0, 2, "online", True, 1),
        DeviceChange(60 * US_PER_S, 0, 2, "link", 0, 0),
        Intent(20 * US_PER_S, 1, 0, "before", 0),
        Intent(150 * US_PER_S, 1, 0, "while it is here", 1),
        Intent(290 * US_PER_S, 1, 0, "after", 2),
        *more,
    )
    return replace(
        SPEC,
        intents=tuple(sorted(wishes, key=order_of)),
        horizon_us=340 * US_PER_S,
        measured=(0, 340 * US_PER_S),
        version2=Version2(V2Rules(), V2People(**people)),  # type: ignore[arg-type]
    )


def told_by(world: World, truth: Truth, device: int) -> list[str]:
    end = world.endpoint_of[0, device]
    rows = truth.events["endpoint"] == end
    return [what for what in truth.events["what"][rows].tolist() if what in COMINGS or "membership" in what]


COMINGS = ("device admitted", "group admitted", "device removed", "left the group", "account keys changed")


def opened_by(world: World, truth: Truth, device: int) -> list[int]:
    rows = (truth.events["endpoint"] == world.endpoint_of[0, device]) & (truth.events["what"] == "opened v2")
    return sorted(truth.events["message"][rows].tolist())


def test_a_guest_is_linked_in_a_run_and_reads_what_came_before() -> None:
    world, truth, _ = run(visits())
    assert told_by(world, truth, 2) == ["membership groups visible", "membership waiting", "group admitted",
                                        "membership in group"]  # fmt: skip
    assert "device admitted" in told_by(world, truth, 0)
    assert opened_by(world, truth, 2) == [0, 1, 2]


def test_a_guest_that_leaves_makes_each_other_device_change_the_keys() -> None:
    world, truth, _ = run(visits(DeviceChange(202 * US_PER_S, 0, 2, "leave", 2, 1)))
    assert told_by(world, truth, 2)[-2:] == ["left the group", "membership groups visible"]
    changed = [told_by(world, truth, device).count("account keys changed") for device in (0, 1)]
    assert changed == [1, 1]
    assert opened_by(world, truth, 2) == [0, 1]
    assert opened_by(world, truth, 0) == opened_by(world, truth, 1) == [0, 1, 2]
    by = {reading.name: reading for reading in _readings(truth, world)}
    assert by["changes of account keys for a departure"].counts == {"hits": 2, "of": 1}
    assert by["devices that left per account and day"].counts["hits"] == 1
    assert by["changes of account keys that raced"].counts == {"hits": 2, "of": 2}
    assert by["races settled by the end"].counts == {"hits": 1, "of": 1}
    settled = by["time until a race was settled"].counts
    assert 0 < settled["hits"] < 10 * US_PER_S


def _readings(truth: Truth, world: World) -> list[Reading]:
    replicate = Replicate(
        1, "fast", truth, {}, frozenset(), world.nodes, world.endpoints, {}, {},
    )  # fmt: skip
    METRICS.scan()
    metric = METRICS["device-groups"]
    one = metric.factory(metric.config())
    return one.readings([one.tally(replicate)])


def test_two_that_remove_a_guest_at_once_race_and_come_to_one_key() -> None:
    spec = visits(
        DeviceChange(200 * US_PER_S, 0, 0, "remove", 2, 1), DeviceChange(200 * US_PER_S, 0, 1, "remove", 2, 2)
    )
    world, truth, _ = run(spec)
    by = {reading.name: reading for reading in _readings(truth, world)}
    assert by["devices removed per account and day"].counts["hits"] == 2
    assert by["changes of account keys that raced"].counts == {"hits": 2, "of": 2}
    assert by["races settled by the end"].counts == {"hits": 1, "of": 1}
    groups = [
        part.group
        for device in (0, 1)
        for part in world.machines[world.endpoint_of[0, device]].parts
        if isinstance(part, OwnGroup)
    ]
    assert groups[0].seeds == groups[1].seeds
    assert opened_by(world, truth, 0) == opened_by(world, truth, 1) == [0, 1, 2]


def test_a_guest_that_is_removed_is_told_and_locked_out_and_comes_back_as_another() -> None:
    spec = visits(
        DeviceChange(200 * US_PER_S, 0, 0, "remove", 2, 1),
        DeviceChange(250 * US_PER_S, 0, 2, "link", 0, 2),
    )
    world, truth, _ = run(spec)
    assert told_by(world, truth, 2)[3:] == [
        "membership in group", "membership removed", "membership groups visible", "membership waiting",
        "group admitted", "membership in group",
    ]  # fmt: skip
    assert told_by(world, truth, 0).count("device removed") == 1
    assert opened_by(world, truth, 2) == [0, 1, 2]
    member = world.machines[world.endpoint_of[0, 0]]
    (group,) = [part.group for part in member.parts if isinstance(part, OwnGroup)]
    assert sorted(state.name for state in group.devices().values()) == ["KICKED", *["REGISTERED"] * 3]


def test_version_1_knows_no_links_and_a_guest_is_just_online() -> None:
    spec = visits(DeviceChange(200 * US_PER_S, 0, 0, "remove", 2, 1))
    world, truth, _ = run(replace(spec, version2=None))
    assert set(truth.events["what"].tolist()) <= {"awake"}
    end = world.endpoint_of[0, 2]
    shown = truth.deliveries["delivered_us"][truth.deliveries["endpoint"] == end]
    assert (shown >= 0).all()  # whoever has the phrase reads everything, removed or not


def test_guests_are_the_last_devices_of_their_account_and_both_are_there() -> None:
    wrong = (Device(0, 0, 1, "ios", linked=False), Device(0, 0, 2, "ios"))
    with pytest.raises(InvalidInput, match="linked devices of an account before others"):
        build(replace(SPEC, intents=wrong))
    with pytest.raises(InvalidInput, match="a device that account 0 has"):
        build(replace(SPEC, intents=(DeviceChange(1, 0, 0, "remove", 3, 0),)))


# ---- Conversations that are opened ahead ----


def test_some_conversations_are_opened_ahead_and_by_times_that_vary() -> None:
    seeds = Seeds(3)
    intents = [Intent(0, k % 7, 7 + k % 5, "x", k) for k in range(4000)]

    def leads(**people: object) -> list[int | None]:
        return [opening_lead_us(V2People(**people), intent, seeds) for intent in intents]  # type: ignore[arg-type]

    assert set(leads()) == {10 * US_PER_S}
    assert set(leads(opening_lead_us=0)) == {None}
    some = leads(opened_ahead_prob=0.75)
    assert some.count(None) == pytest.approx(1000, abs=110)  # four standard deviations
    varied = [lead for lead in leads(opening_law="exponential", opened_ahead_prob=0.75) if lead is not None]
    assert len(varied) == 4000 - some.count(None)
    assert np.mean(varied) == pytest.approx(10 * US_PER_S, rel=0.08)
    below = sum(lead < 10 * US_PER_S for lead in varied) / len(varied)
    assert below == pytest.approx(1 - np.exp(-1), abs=0.04)


# ---- Configs under the device group's keys (hole H9, what if) ----


@pytest.mark.parametrize("how", ["v1", "device-group"])
def test_configs_are_under_the_keys_that_the_scenario_says(how: str) -> None:
    wishes = (
        Device(0, 0, 1, "ios"),
        ConfigChange(15 * US_PER_S, 0, "profile", "name", 0),
        ConfigChange(16 * US_PER_S, 2, "contacts", "contact", 0),
        Intent(20 * US_PER_S, 2, 3, "hello", 0),
    )
    version2 = share(1)
    rules = replace(version2.rules, groups_and_configs=how)
    world = build(replace(SPEC, intents=wishes, version2=version2._replace(rules=rules)))
    truth = world.run(MemoryRecords(), frozenset(), False)
    changes = truth.messages["kind"] == "config-change"
    assert set(truth.messages["outcome"][changes]) == {"delivered"}
    for account, namespace in ((0, USER_PROFILE), (2, CONTACTS)):
        owner = world.accounts[account]
        devices = [machine for machine in world.machines
                   if isinstance(machine, Client) and machine.account == owner]  # fmt: skip
        configs = [part for one in devices for part in one.parts if isinstance(part, AccountConfigs)]
        swarm = nearest_swarm(swarm_position(owner.id[1:]), sorted(world.nodes.members))
        store = world.machines[world.nodes.members[swarm][0]].store  # type: ignore[index, union-attr]
        stored = store.retrieve(owner.id, namespace, "", 0, 10**7, SPEC.epoch_ms + 50_000)[0]
        (message,) = stored  # what it replaced is deleted
        with_words = user_config(KINDS[namespace], devices[0].suite, owner)
        opened = with_words.merge([(message.hash, message.data)], SPEC.epoch_ms)
        assert bool(opened) is (how == "v1")
        held = [one.held.by_namespace[namespace] for one in configs]
        assert len({config.seqno for config in held}) == 1
        assert len({bytes(repr(config.data), "utf-8") for config in held}) == 1
        assert held[0].seqno == 2  # one from before the run, one change
