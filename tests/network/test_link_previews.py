"""Links in messages through a small world: who looks at the page, when, and what the message then carries."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import HEADS
from sessionsim.core.intents import File, Intent, Post, Preview, Reader
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.network.server_machines import ServiceRules
from sessionsim.network.servers import ServerRules
from sessionsim.network.world import World, WorldSpec, build
from sessionsim.protocol.client.links import WebRules

PICTURE = File("photo", 30_000)
LINK = Preview(url_bytes=60, title_bytes=25, image=PICTURE)
S = US_PER_S


def small(intents: tuple[Any, ...], suite: str = "fast", **changed: Any) -> World:
    spec = WorldSpec(
        date="2026-04-28",
        platforms=("desktop", "android", "ios"),
        intents=intents,
        horizon_us=60 * S,
        measured=(0, 60 * S),
        seeds=Seeds(5),
        epoch_ms=1_777_377_600_000,
        limit_swarms=6,
        suite=suite,
    )
    return build(dataclasses.replace(spec, **changed))


def circle(preview: Preview = LINK) -> tuple[Intent, ...]:
    return tuple(Intent((20 + k) * S, k, (k + 1) % 3, f"see {k}", preview=preview) for k in range(3))


def events(truth: Truth, what: str) -> list[tuple[int, int, int]]:
    columns = [truth.events[name].tolist() for name in ("endpoint", "what", "message", "value")]
    return [(end, message, value) for end, name, message, value in zip(*columns, strict=True) if name == what]


def test_the_writer_shows_its_address_to_the_site_before_the_message_and_the_reader_never() -> None:
    world, records = small(circle()[:1]), MemoryRecords()
    truth = world.run(records, frozenset(range(len(world.machines))))
    rows, (site,), first = records.table(), world.scene.servers["web"], len(world.nodes)
    asked = (rows["dst"] == site) & (rows["head"] == HEADS.index("web"))
    assert set(rows["src"][asked].tolist()) == {first}
    assert asked.sum() == 2  # page and picture
    times = rows["t_sent_us"][asked]
    assert 15 * S <= times.min() < times.max() < truth.messages["intent_us"][0]
    got = (rows["src"] == site) & (rows["head"] == 200)
    assert sorted(rows["app_bytes"][got].tolist()) == [30_000, 100_000]


def test_the_picture_is_uploaded_with_the_message_and_fetched_by_its_reader() -> None:
    truth = small(circle()).run()
    assert list(truth.messages["outcome"]) == ["delivered"] * 3
    assert sorted(message for _, message, _ in events(truth, "file-uploaded")) == [0, 1, 2]
    assert [value for _, _, value in events(truth, "file-fetched")] == [200] * 3
    assert {value for _, _, value in events(truth, "link-visited")} == {130_000}


def test_a_preview_without_picture_moves_no_file() -> None:
    truth = small(circle(LINK._replace(image=None))).run()
    assert list(truth.messages["outcome"]) == ["delivered"] * 3
    assert events(truth, "file-uploaded") == events(truth, "file-fetched") == []
    assert {value for _, _, value in events(truth, "link-visited")} == {100_000}


@pytest.mark.parametrize("rules", [ServerRules(off=("web",)), ServerRules(web_in=())])
def test_a_message_goes_out_without_preview_when_the_site_does_not_answer(rules: ServerRules) -> None:
    truth = small(circle(), server_rules=rules).run()
    assert list(truth.messages["outcome"]) == ["delivered"] * 3
    assert events(truth, "file-uploaded") == []
    assert {value for _, _, value in events(truth, "link-visited")} == {0}


def test_a_message_does_not_wait_for_a_page_that_has_not_come() -> None:
    hasty = ServiceRules(web=WebRules(lead_us=US_PER_MS))
    truth = small(circle(), service_rules=hasty).run()
    assert list(truth.messages["outcome"]) == ["delivered"] * 3
    assert events(truth, "file-uploaded") == []
    assert {value for _, _, value in events(truth, "link-visited")} == {130_000}


def test_posts_carry_previews_whose_pictures_lie_in_the_room() -> None:
    readers = tuple(Reader(0, account, 0) for account in range(3))
    truth = small((*readers, Post(20 * S, 0, 0, "see", 0, preview=LINK))).run()
    assert list(truth.messages["outcome"]) == ["delivered"]
    assert events(truth, "file-uploaded") == [(truth.devices["endpoint"][0], 0, 30_000)]
    assert [value for _, _, value in events(truth, "post-fetched")] == [200, 200]


def test_both_suites_give_the_same_records() -> None:
    found = []
    for suite in ("fast", "sodium"):
        world, records = small(circle(), suite), MemoryRecords()
        world.run(records, frozenset(range(len(world.machines))))
        found.append(records.table())
    for name in found[0]:
        assert np.array_equal(found[0][name], found[1][name]), name
