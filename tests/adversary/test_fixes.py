"""Protections that are planted in the real machines: each empties its cell, and no other rule is touched.

One world is run as it is and one with all fixes at once; every test holds one cell of the ledgers of both
against each other.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest

from sessionsim.core.intents import Group, GroupText, Intent, Wish
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Position, Role, Taking
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.client.push import groups as push_groups
from sessionsim.protocol.client.push import part as push_part
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.poll import PollTemplate
from tests.adversary import test_findings
from tests.adversary.test_findings import Claims, Findings, of

S = US_PER_S
WISHES: tuple[Wish, ...] = (
    Group(0, 0, 0, (0, 1, 2), "three"),
    GroupText(18 * S, 1, 0, "all", 0),
    *(Intent((20 + 3 * k) * S, k, (k + 1) % 3, f"hello {k}") for k in range(3)),
)
_STYLE = ("style", "body_style", "transport")


class Worlds:
    """The world as it is, and with the fixes."""

    def __init__(self) -> None:
        self.before = Findings("own-swarm", wishes=WISHES)
        with pytest.MonkeyPatch.context() as patch:
            fix(patch)
            self.after = Findings("none", wishes=WISHES)

    def both(self, look: Callable[[Findings], Claims]) -> tuple[Claims, Claims]:
        return look(self.before), look(self.after)


def fix(patch: pytest.MonkeyPatch) -> None:
    desktop = test_findings.CLIENTS["desktop"]
    alike = {name: getattr(desktop, name) for name in _STYLE}
    clients = {
        name: dataclasses.replace(rules, sync_copy=False, **alike)
        for name, rules in test_findings.CLIENTS.items()
    }
    patch.setattr(test_findings, "CLIENTS", clients)
    numbers = itertools.count()
    store, fill = rpc.store_call, PollTemplate.fill

    def any_lifetime(style: Any, who: str, data: bytes, stamp_ms: int, ttl_ms: int, *more: Any) -> Any:
        return store(style, who, data, stamp_ms, ttl_ms - 1000 * next(numbers), *more)

    def no_cursor(self: Any, stamp_ms: int, cursors: Any, sign: Any, extras: Any = ()) -> bytes:
        return fill(self, stamp_ms, [""] * len(cursors), sign, extras)

    patch.setattr(rpc, "store_call", any_lifetime)
    patch.setattr(PollTemplate, "fill", no_cursor)
    for module in (push_part, push_groups):
        subscribe = module.subscribe_request

        def unnamed(*args: Any, subscribe: Any = subscribe, **more: Any) -> Any:
            request = subscribe(*args, **more)
            body = re.sub(rb'"token":"[^"]*"', lambda _: b'"token":"%064x"' % next(numbers), request.body)
            return request._replace(body=body)

        patch.setattr(module, "subscribe_request", unnamed)


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


def test_fixes_stop_no_message(worlds: Worlds) -> None:
    for world in (worlds.before, worlds.after):
        messages = world.truth.messages
        texts = [k for k, kind in enumerate(messages["kind"].tolist()) if kind == "text"]
        assert len(texts) == 3
        assert all(messages["stored_us"][k] > 0 for k in texts)


def test_without_copies_for_own_devices_archive_and_phrase_show_nothing_that_was_sent(
    worlds: Worlds,
) -> None:
    def own_texts(world: Findings) -> Claims:
        nodes = frozenset((node, Role.MEMBER) for node in range(len(world.world.nodes)))
        stolen = frozenset({Taking(world.world.scene.client_endpoints[0], 0, stays=False)})
        known = world.claims(Position(in_role=nodes, taken=stolen))
        written = {m for m, who in of(known, Relation.WRITTEN_BY, "message:") if who == world.accounts[0]}
        inbox = {m for m, its in of(known, Relation.ADDRESSED_TO) if its == world.accounts[0]}
        texts = {m for m, kind in of(known, Relation.HOLDS) if kind == "kind:text"}
        return {(Relation.HOLDS, m, "kind:text") for m in written & inbox & texts}

    before, after = worlds.both(own_texts)
    assert len(before) == 1
    assert after == set()


def test_programs_that_write_alike_show_alike(worlds: Worlds) -> None:
    before, after = worlds.both(lambda world: world.role(Role.GUARD, Role.MEMBER))
    for kinds in (("addr:", "cipher:"), ("addr:", "transport:"), ("account:", "shape:")):
        assert len({shown for _, shown in of(before, Relation.SHOWS, *kinds)}) > 1
    for kinds in (("addr:", "cipher:"), ("addr:", "transport:")):
        assert len({shown for _, shown in of(after, Relation.SHOWS, *kinds)}) == 1


def test_without_a_test_of_guards_by_the_own_account_guards_read_no_account(worlds: Worlds) -> None:
    before, after = worlds.both(lambda world: world.role(Role.GUARD))
    assert of(before, Relation.NAMED, "addr:", "account:")
    assert of(after, Relation.NAMED, "addr:", "account:") == set()


def test_lifetimes_that_are_drawn_tell_no_kind(worlds: Worlds) -> None:
    def lifetimes(world: Findings) -> list[str]:
        known = world.role(Role.MEMBER)
        names = {f"message:{name}" for name in world.truth.messages["hash"].tolist()}
        texts = {m for m, ends in of(known, Relation.ADDRESSED_TO, "message:", "account:") if m in names}
        return [ttl for m, ttl in of(known, Relation.HAS_TTL) if m in texts]

    before, after = lifetimes(worlds.before), lifetimes(worlds.after)
    assert len(before) == len(after) == 3
    assert len(set(before)) == 1
    assert len(set(after)) == 3


def test_tokens_that_change_tie_no_device_to_an_account(worlds: Worlds) -> None:
    before, after = worlds.both(lambda world: world.servers("push", "apple", "google"))
    assert of(before, Relation.LINKED, "addr:", "account:")
    assert of(after, Relation.LINKED) == set()
    assert of(after, Relation.NAMED, "account:", "token:")  # they are read all the same


def test_what_is_not_fixed_shows_as_before(worlds: Worlds) -> None:
    before, after = worlds.both(lambda world: world.role(Role.MEMBER))
    for relation, kinds in ((Relation.ONLINE, ("account:",)), (Relation.MEMBER_OF, ("member:", "group:"))):
        assert len(of(after, relation, *kinds)) == len(of(before, relation, *kinds)) > 0
    assert len(of(after, Relation.STAMPED)) > 0
