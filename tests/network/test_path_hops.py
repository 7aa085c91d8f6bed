"""Worlds with paths of other lengths: everything works, takes as many legs more, and is the same in bulk."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from sessionsim.core.intents import Intent
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.rules import PLATFORMS

NAMES = ("desktop", "android", "ios")
SECONDS = 60


@cache
def lived(hops: int, idle_polls: str = "bulk") -> Truth:
    """Three new apps that build their paths, rotate them, and write to each other."""
    rules = {
        name: replace(one, path_hops=hops, first_start=True, ships_list=True, rotation_us=20 * US_PER_S)
        for name, one in PLATFORMS.items()
    }
    texts = tuple(Intent((10 + 2 * k) * US_PER_S, k % 3, (k + 1) % 3, f"text {k}") for k in range(12))
    spec = WorldSpec(
        date="2026-04-28", platforms=NAMES, intents=texts, horizon_us=SECONDS * US_PER_S,
        measured=(0, SECONDS * US_PER_S), seeds=Seeds(5), epoch_ms=1_790_000_000_000, limit_swarms=16,
        client_rules=rules, idle_polls=idle_polls,
    )  # fmt: skip
    return build(spec).run()


@pytest.mark.parametrize("hops", [1, 2, 5])
def test_everything_arrives_over_paths_of_any_length(hops: int) -> None:
    assert set(lived(hops).messages["outcome"]) == {"delivered"}


def test_longer_paths_take_longer() -> None:
    waited = [
        float(np.median(lived(hops).messages["stored_us"] - lived(hops).messages["intent_us"]))
        for hops in (1, 3, 5)
    ]
    assert waited[0] < waited[1] < waited[2]
    # Two relays more are four legs more on the way there and back.
    assert 0.5 < (waited[2] - waited[1]) / (waited[1] - waited[0]) < 2


def test_bulk_and_one_by_one_are_the_same() -> None:
    bulk, each = lived(2), lived(2, "each")
    for name in ("stored_us", "delivered_us", "attempts"):
        assert bulk.messages[name].tolist() == each.messages[name].tolist()
