"""A config that is split over several messages opens for whom all parts are there, and for nobody else."""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache

import numpy as np
import pytest

from sessionsim.adversary import Closure, Transcript, claims, facts_of
from sessionsim.adversary.explaining import explain
from sessionsim.core.ledger import Relation
from sessionsim.core.nodelist import NodeList
from sessionsim.core.view import VIEW_COLUMNS, Haul, HeldKey, Table, View
from sessionsim.protocol.configs import user_config
from sessionsim.protocol.configs.contacts import Contact, Contacts
from sessionsim.protocol.configs.kinds import CONTACTS
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed

OWNER = account_from_seed(b"\7" * 16)
FRIENDS = [b"\5" + hashlib.blake2b(b"%d" % k, digest_size=32).digest() for k in range(2_400)]
ME = f"account:{OWNER.id_hex}"


@cache
def parts() -> tuple[bytes, ...]:
    config = user_config(CONTACTS, suite_named("fast"), OWNER)
    contacts = Contacts(config)
    for k, friend in enumerate(FRIENDS):
        contacts.set(Contact(friend, name=f"friend {hashlib.sha256(friend).hexdigest()[:12]} {k}"))
    return config.push(0).parts


def view(*numbers: int, keys: bool = True) -> View:
    """Give what a thief has that got some parts, the one with number k at second k."""
    held = HeldKey("ed25519", ME, *OWNER.ed)
    rows: Table = {name: np.empty(0, np.int64) for name in VIEW_COLUMNS}
    hauls = tuple(Haul(k, k * 1_000_000, OWNER.id, CONTACTS.namespace, parts()[k]) for k in numbers)
    nodes = NodeList((), (), (), (), ())
    return View("eve", "fast", rows, {}, (held,) if keys else (), nodes, frozenset(), hauls=hauls)


def known(*numbers: int) -> set[str]:
    found = claims(facts_of(Closure(view(*numbers))))
    return {other for what, _, other in found if what is Relation.KNOWS}


def test_it_really_comes_in_parts() -> None:
    assert len(parts()) >= 2


def test_all_parts_together_give_what_the_config_holds() -> None:
    every = range(len(parts()))
    assert known(*every) == {f"account:{friend.hex()}" for friend in FRIENDS}
    assert known(*reversed(every)) == known(*every)


def test_a_part_that_is_missing_leaves_all_of_it_closed() -> None:
    for missing in range(len(parts())):
        assert known(*(k for k in range(len(parts())) if k != missing)) == set()


def test_without_the_key_all_parts_give_nothing() -> None:
    facts = facts_of(Closure(view(*range(len(parts())), keys=False)))
    assert not {fact.relation for fact in facts} & {Relation.KNOWS, Relation.HOLDS, Relation.CALLED}


def test_it_is_known_when_the_last_part_is_there_and_the_steps_name_all_parts() -> None:
    closure = Closure(view(*range(len(parts()))))
    fact = next(fact for fact in facts_of(closure) if fact.relation is Relation.KNOWS)
    assert fact.t_us == (len(parts()) - 1) * 1_000_000
    steps = [step for step in explain(closure, fact).steps if step.told]
    assert sum(step.text.startswith("haul ") for step in steps) == len(parts())
    joined = next(step for step in steps if " parts are put together" in step.text)
    assert joined.told == (
        f"Each of the {len(parts())} parts names the hash of the whole, and in order they give it.",
    )
    opens = next(step for step in steps if step.text.endswith("opens a config"))
    assert "Inside: contacts, made by account:05" in opens.told[1]


def test_what_one_has_does_not_depend_on_who_else_has_parts() -> None:
    every = view(*range(len(parts())))
    transcript = Transcript(every)
    some = dataclasses.replace(every, hauls=every.hauls[1:])
    facts = facts_of(Closure(some, transcript))
    assert claims(facts) == claims(facts_of(Closure(some)))
    kinds = {fact.object for fact in facts if fact.relation is Relation.HOLDS}
    assert kinds == {"kind:part-of-contacts"}


@pytest.mark.parametrize("at", [0, 40, 70_000])
def test_a_part_that_was_altered_gives_nothing(at: int) -> None:
    every = view(*range(len(parts())))
    data = bytearray(every.hauls[0].data)
    data[at] ^= 1
    hauls = (dataclasses.replace(every.hauls[0], data=bytes(data)), *every.hauls[1:])
    found = facts_of(Closure(dataclasses.replace(every, hauls=hauls)))
    assert Relation.KNOWS not in {fact.relation for fact in found}
