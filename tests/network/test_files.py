"""Files of messages through a small world: uploaded, pointed to, fetched, opened; and what fails is told."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import CAUSE_MASK, REF_SHIFT, Cause
from sessionsim.core.intents import Device, File, Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_DAY, US_PER_S
from sessionsim.network.server_machines import ServiceRules
from sessionsim.network.servers import ServerRules
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.files import PLATFORMS, FileRules
from sessionsim.protocol.files import deterministic, legacy
from sessionsim.protocol.files.server_rules import FileServerRules

CLIENTS = ("desktop", "android", "ios")
PHOTO, VOICE = File("photo", 100_000), File("voice", 5_000)


def small(intents: tuple[Any, ...], suite: str = "fast", **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28",
        platforms=CLIENTS,
        intents=intents,
        horizon_us=60 * US_PER_S,
        measured=(0, 60 * US_PER_S),
        seeds=Seeds(5),
        epoch_ms=1_777_377_600_000,
        limit_swarms=6,
        suite=suite,
    )
    return build(dataclasses.replace(spec, **changed))


def circle(files: tuple[File, ...]) -> tuple[Intent, ...]:
    """Every client writes to the next one."""
    return tuple(Intent((k + 1) * US_PER_S, k, (k + 1) % 3, f"look {k}", files=files) for k in range(3))


def events(truth: Truth, what: str) -> list[tuple[int, int, int, int]]:
    """Give time, endpoint, message and value of all events of a name."""
    columns = [truth.events[name].tolist() for name in ("t_us", "endpoint", "what", "message", "value")]
    return [(t, e, m, v) for t, e, name, m, v in zip(*columns, strict=True) if name == what]


def test_files_are_uploaded_before_the_store_and_fetched_by_who_reads_the_message() -> None:
    world = small(circle((PHOTO, VOICE)))
    truth, first = world.run(), len(world.nodes)
    assert list(truth.messages["outcome"]) == ["delivered"] * 3
    uploads, fetches = events(truth, "file-uploaded"), events(truth, "file-fetched")
    for ref in range(3):
        mine = [(t_us, end) for t_us, end, message, _ in uploads if message == ref]
        assert [end for _, end in mine] == [first + ref] * 2
        assert max(t_us for t_us, _ in mine) < truth.messages["stored_us"][ref]
        got = [(t_us, end, value) for t_us, end, message, value in fetches if message == ref]
        assert [(end, value) for _, end, value in got] == [(first + (ref + 1) % 3, 200)] * 2
        assert min(t_us for t_us, _, _ in got) > truth.messages["delivered_us"][ref]


def test_the_server_sees_the_size_classes_of_the_platforms() -> None:
    uploads = events(small(circle((PHOTO, VOICE))).run(), "file-uploaded")
    old = sorted(map(legacy.sealed_bytes, (100_000, 5_000)))
    new = sorted(map(deterministic.sealed_bytes, (100_000, 5_000)))
    for ref, sizes in enumerate((old, old, new)):
        assert sorted(value for _, _, message, value in uploads if message == ref) == sizes


def test_rows_say_which_message_a_file_belongs_to() -> None:
    world, records = small(circle((VOICE,))), MemoryRecords()
    world.run(records, frozenset(world.scene.servers["file"]))
    rows = records.table()
    (server,) = world.scene.servers["file"]
    asked = (rows["dst"] == server) & (rows["direction"] == 0) & (rows["app_bytes"] > 0)
    assert set((rows["note"][asked] & CAUSE_MASK).tolist()) == {int(Cause.FILE)}
    big = asked & (rows["app_bytes"] > 5_000)  # uploads
    assert sorted((rows["note"][big] >> REF_SHIFT).tolist()) == [1, 2, 3]


def test_both_suites_give_the_same_records_and_events() -> None:
    found = []
    for suite in ("fast", "sodium"):
        world, records = small(circle((VOICE,)), suite), MemoryRecords()
        truth = world.run(records, frozenset(range(len(world.machines))))
        found.append((records.table(), truth.events))
    (rows, happened), (other_rows, other) = found
    for name in rows:
        assert np.array_equal(rows[name], other_rows[name]), name
    for name in happened:
        assert np.array_equal(happened[name], other[name]), name


def test_the_writers_other_device_and_every_device_of_the_reader_fetch_too() -> None:
    devices = (Device(0, 0, 1, "android"), Device(0, 1, 1, "ios"))
    world = small((*devices, Intent(US_PER_S, 0, 1, "look", files=(VOICE,))))
    fetches, first = events(world.run(), "file-fetched"), len(world.nodes)
    assert sorted((end, value) for _, end, _, value in fetches) == [
        (first + 1, 200), (first + 3, 200), (first + 4, 200)
    ]  # fmt: skip


def test_a_text_written_later_can_go_out_before_one_with_a_large_file() -> None:
    intents = (
        Intent(US_PER_S, 0, 1, "look", files=(File("video", 2_000_000),)),
        Intent(US_PER_S + 10_000, 0, 1, "did you get it?", 1),
    )
    truth = small(intents).run()
    assert truth.messages["stored_us"][0] > truth.messages["stored_us"][1] > 0
    assert list(truth.messages["outcome"]) == ["delivered"] * 2


@pytest.mark.parametrize("rules", [ServerRules(off=("file",)), ServerRules(file_in=())])
def test_without_a_file_server_messages_with_files_fail_with_a_reason_and_texts_do_not(
    rules: ServerRules,
) -> None:
    quick = {name: dataclasses.replace(one, upload_attempts=2) for name, one in PLATFORMS.items()}
    plain = tuple(Intent((k + 1) * US_PER_S + 1, k, (k + 1) % 3, "plain", 1) for k in range(3))
    both = sorted((*circle((VOICE,)), *plain), key=lambda wish: wish.t_us)
    truth = small(tuple(both), server_rules=rules, file_rules=quick).run()
    assert list(truth.messages["outcome"]) == ["refused", "delivered"] * 3
    assert events(truth, "file-uploaded") == []
    assert not truth.messages["hash"][::2].any()


def test_a_file_whose_life_is_over_is_gone_for_the_reader() -> None:
    short = ServiceRules(file=FileServerRules(lifetime_us=1))
    truth = small(circle((VOICE,)), service_rules=short).run()
    assert list(truth.messages["outcome"]) == ["delivered"] * 3
    assert [value for _, _, _, value in events(truth, "file-fetched")] == [404] * 3


def test_what_the_server_finds_too_large_fails_the_message() -> None:
    mean = ServiceRules(file=FileServerRules(max_bytes=6_000))
    quick = {name: dataclasses.replace(one, upload_attempts=2) for name, one in PLATFORMS.items()}
    truth = small(circle((PHOTO, VOICE)), service_rules=mean, file_rules=quick).run()
    assert list(truth.messages["outcome"]) == ["refused"] * 3


def test_a_file_above_the_clients_limit_is_never_uploaded() -> None:
    few = {name: dataclasses.replace(one, max_bytes=99_999) for name, one in PLATFORMS.items()}
    truth = small(circle((PHOTO,)), file_rules=few).run()
    assert list(truth.messages["outcome"]) == ["refused"] * 3
    assert events(truth, "file-uploaded") == events(truth, "file-fetched") == []


def test_readers_who_do_not_fetch_leave_the_file_alone() -> None:
    shy = {name: dataclasses.replace(one, downloads=False) for name, one in PLATFORMS.items()}
    truth = small(circle((VOICE,)), file_rules=shy).run()
    assert list(truth.messages["outcome"]) == ["delivered"] * 3
    assert events(truth, "file-fetched") == []


def test_a_run_without_files_has_clients_without_that_part() -> None:
    plain = small((Intent(US_PER_S, 0, 1, "hello"),))
    with_files = small(circle((VOICE,)))
    known = [world.machines[len(world.nodes)].readers for world in (plain, with_files)]  # type: ignore[attr-defined]
    assert list(map(len, known)) == [0, 1]


def test_rules_of_a_platform_count_for_its_clients_alone() -> None:
    changed: dict[str, FileRules] = PLATFORMS | {
        "desktop": dataclasses.replace(PLATFORMS["desktop"], encryption="deterministic")
    }
    uploads = events(small(circle((VOICE,)), file_rules=changed).run(), "file-uploaded")
    old, new = legacy.sealed_bytes(5_000), deterministic.sealed_bytes(5_000)
    assert {message: value for _, _, message, value in uploads} == {0: new, 1: old, 2: new}


def test_a_day_of_lifetime_is_enough_to_be_read_within_it() -> None:
    day = ServiceRules(file=FileServerRules(lifetime_us=US_PER_DAY))
    fetched = events(small(circle((VOICE,)), service_rules=day).run(), "file-fetched")
    assert [value for _, _, _, value in fetched] == [200] * 3
