"""Pictures that people show are kept alive by a daily job: extended, uploaded anew, told to others."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from sessionsim.core.intents import ConfigChange, File, Intent, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_H, US_PER_MIN, US_PER_S
from sessionsim.network.servers import ServerRules
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.rules import PLATFORMS as CLIENTS
from sessionsim.protocol.files.avatar import PLATFORMS
from sessionsim.protocol.files.server_rules import FileServerRules

NAMES = ("desktop", "android", "ios")
S, MIN = US_PER_S, US_PER_MIN
EXTENDED, UPLOADED, NEITHER = 1, 2, 0
# A job every ten minutes; clients that poll seldom, since polls are not what is looked at.
OFTEN = {name: replace(rules, period_us=10 * MIN, extend_after_us=0) for name, rules in PLATFORMS.items()}
SELDOM = {name: replace(rules, poll_interval_us=MIN) for name, rules in CLIENTS.items()}
# Without a wish about profiles clients keep no configs, and so no pictures.
NAME = ConfigChange(MIN, 0, "profile", "name", 1)


def world_of(*wishes: Wish, minutes: int = 25, **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28", platforms=NAMES, intents=tuple(sorted(wishes, key=lambda one: one.t_us)),
        horizon_us=minutes * MIN, measured=(0, minutes * MIN), seeds=Seeds(5), epoch_ms=1_777_377_600_000,
        limit_swarms=6, suite="fast", idle_polls="bulk", client_rules=SELDOM, avatar_rules=OFTEN,
    )  # fmt: skip
    return build(replace(spec, **changed))


def renewals(truth: Truth, world: World) -> list[tuple[int, float, int]]:
    """Which account's device renewed its picture when (min), and how."""
    columns = [truth.events[name].tolist() for name in ("endpoint", "t_us", "what", "value")]
    first = len(world.nodes)
    return [
        (end - first, t_us / MIN, value)
        for end, t_us, what, value in zip(*columns, strict=True)
        if what == "picture-renewed"
    ]


def files_of(world: World) -> Any:
    (file,) = world.scene.servers["file"]
    return world.machines[file].server.files  # type: ignore[attr-defined]


def test_every_device_extends_its_picture_once_a_period_from_a_random_moment_on() -> None:
    world = world_of(NAME)
    before = {file_id: file.expires_us for file_id, file in files_of(world).items()}
    found = renewals(world.run(), world)
    assert {value for _, _, value in found} == {EXTENDED}
    for who in range(3):
        times = [t for one, t, _ in found if one == who]
        assert len(times) in (2, 3)
        assert 0 <= times[0] < 10.5
        assert all(9.9 < b - a < 10.6 for a, b in pairwise(times))
    assert len({round(t, 2) for _, t, _ in found}) == len(found)
    after = files_of(world)
    assert set(after) == set(before)
    assert all(after[file_id].expires_us > before[file_id] for file_id in before)


def test_the_job_runs_once_a_day_by_default() -> None:
    world = world_of(NAME, minutes=60, avatar_rules=PLATFORMS)
    assert PLATFORMS["desktop"].period_us == 24 * US_PER_H
    assert len(renewals(world.run(), world)) <= 1


def test_without_a_job_nothing_is_renewed() -> None:
    never = {name: replace(rules, period_us=0) for name, rules in PLATFORMS.items()}
    world = world_of(NAME, avatar_rules=never)
    assert renewals(world.run(), world) == []


def test_where_nothing_is_extended_pictures_are_uploaded_anew() -> None:
    rules = replace(world_of(NAME).spec.service_rules, file=FileServerRules(extends=False))
    world = world_of(NAME, service_rules=rules)
    # No answer to an extension is taken for an expired file (404), so it is uploaded at once.
    found = renewals(world.run(), world)
    assert {value for _, _, value in found} == {UPLOADED}


def test_a_picture_that_had_to_be_uploaded_anew_is_shown_under_its_new_address() -> None:
    """The file of before the run is gone; contacts and other devices fetch the one that replaces it."""
    text = Intent(20 * MIN, 0, 1, "hello", 0)
    rules = replace(world_of(NAME).spec.service_rules, file=FileServerRules(extends=False))
    world = world_of(NAME, text, service_rules=rules)
    truth = world.run()
    desktop: Any = world.machines[len(world.nodes)]
    url = desktop.outbox.profile.picture_url
    assert url.partition("/file/")[2].partition("#")[0] in files_of(world)
    assert desktop.outbox.profile.updated_s >= 1_777_377_600
    fetched = [
        (end - len(world.nodes), value)
        for end, what, value in zip(
            *(truth.events[name].tolist() for name in ("endpoint", "what", "value")), strict=True
        )
        if what == "picture-fetched"
    ]
    assert fetched == [(1, 200)]


def test_a_new_picture_is_extended_under_its_own_id() -> None:
    """Deterministic encryption: a second upload of the same picture has the same id and changes nothing."""
    change = ConfigChange(MIN, 0, "profile", "avatar", 1, File("avatar", 5_000))
    rules = replace(world_of(NAME).spec.service_rules, file=FileServerRules(extends=False))
    world = world_of(change, service_rules=rules)
    truth = world.run()
    assert [value for who, _, value in renewals(truth, world) if who == 0].count(UPLOADED) >= 1
    sizes = sorted(len(file.blob) for file in files_of(world).values())
    # One of the three from before has been replaced by what was shown then, and uploaded again.
    small = [file for file in files_of(world).values() if len(file.blob) < 10_000]
    assert len(small) == 1
    assert small[0].uploads >= 2
    assert len(sizes) == len(set(files_of(world)))


def test_a_file_server_that_is_off_changes_nothing() -> None:
    world = world_of(NAME, server_rules=ServerRules(off=("file",)), minutes=60)
    found = renewals(world.run(), world)
    assert {value for _, _, value in found} <= {NEITHER}


@pytest.mark.parametrize("idle", ["bulk", "each"])
def test_the_job_is_carried_out_beside_idle_polls(idle: str) -> None:
    world = world_of(NAME, minutes=15, idle_polls=idle)
    assert [(who, value) for who, _, value in sorted(renewals(world.run(), world))][:1] == [(0, EXTENDED)]
