"""Names of one owner, joined by a device token, by blinding, and through third names; hand-driven."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sessionsim.adversary import Closure, claims, deduce
from sessionsim.adversary.notes import Notes
from sessionsim.adversary.rules.identities import join_identities
from sessionsim.core.ledger import Relation
from sessionsim.core.view import View
from sessionsim.protocol.blinding import blind15_ids, blind25_id
from sessionsim.protocol.wire.frame import decode_frame, encode_frame

FIRST, THEN = (0, 5, 6, 8), (4, 1, 2, 9)  # two ways from client 0 into its swarm, with no node in common
TOKEN = "device-token-0123456789"
KEYS = (b"\x21" * 32, b"\x22" * 32)  # of two communities
ENDS = (30, 31)


def in_outer(raw: bytes, **more: Any) -> bytes:
    blob, text = decode_frame(raw)
    return encode_frame(blob, orjson.dumps({**orjson.loads(text), **more}))


def two_uses(stage: Any, first: str = TOKEN, then: str = TOKEN) -> None:
    """Plant a token beside one request's outermost layer, and in another request's body."""
    stage.plants = {"outer": lambda raw: in_outer(raw, token=first)}
    stage.poll(0, FIRST)
    stage.plants = {
        "control": lambda raw: orjson.dumps({**orjson.loads(raw), "service_info": {"token": then}})
    }
    stage.poll(0, THEN)
    stage.plants = {}


def linked(known: Any) -> set[tuple[str, str]]:
    return {(subject, target) for relation, subject, target in known if relation is Relation.LINKED}


def test_a_token_from_an_address_and_beside_a_signature_joins_both(stage: Any) -> None:
    two_uses(stage)
    assert linked(stage.claims(0)) == set()
    assert linked(stage.claims(9)) == set()
    assert linked(stage.claims(0, 9)) == {(stage.address(0), stage.account(0))}


def test_another_token_joins_nothing(stage: Any) -> None:
    two_uses(stage, then=TOKEN + "x")
    assert linked(stage.claims(0, 9)) == set()


def test_a_token_that_two_use_joins_nobody(stage: Any) -> None:
    two_uses(stage)
    stage.plants = {"outer": lambda raw: in_outer(raw, token=TOKEN)}
    stage.poll(1, (0, 1, 2, 12))
    assert linked(stage.claims(0, 9)) == set()


def test_another_string_is_no_token(stage: Any) -> None:
    stage.plants = {"outer": lambda raw: in_outer(raw, tag=TOKEN)}
    stage.poll(0, FIRST)
    stage.plants = {"control": lambda raw: orjson.dumps({**orjson.loads(raw), "tag": TOKEN})}
    stage.poll(0, THEN)
    known = stage.claims(0, 9)
    assert (Relation.NAMED, stage.address(0), f"string:{TOKEN}") in known  # seen, and no more than that
    assert linked(known) == set()


def in_communities(view: View, **more: Any) -> View:
    """Give a view of somebody who knows where two communities are."""
    values = {name: getattr(view, name) for name in View.__dataclass_fields__}
    return View(**{
        **values, "servers": dict.fromkeys(ENDS, "community"),
        "server_keys": dict(zip(ENDS, KEYS, strict=True)), **more,
    })  # fmt: skip


def blinded(raw: bytes) -> str:
    return f"blinded:{raw.hex()}"


@pytest.mark.parametrize("seen_account", [True, False])
def test_blinded_ids_are_joined_with_an_account_that_is_known_and_with_nobody_else(
    stage: Any, seen_account: bool
) -> None:
    own = stage.accounts[0].id
    first, second = blind15_ids(own, KEYS[0])[1], blind25_id(own, KEYS[1])
    stage.plants = {
        "outer": lambda raw: in_outer(raw, a=first.hex(), b=second.hex(), c=own.hex() if seen_account else 0)
    }
    stage.poll(0, FIRST)
    view = in_communities(stage.view([0]))
    expected = {(stage.account(0), blinded(first)), (stage.account(0), blinded(second))}
    pair = tuple(sorted((blinded(first), blinded(second))))
    assert linked(claims(deduce(view))) == ({*expected, pair} if seen_account else set())
    # Who has the id from the start, as somebody's contact has, needs not see it anywhere.
    knowing = in_communities(stage.view([0]), ids=(own,))
    assert linked(claims(deduce(knowing))) == {*expected, pair}
    other = in_communities(stage.view([0]), ids=(stage.accounts[1].id,))
    assert linked(claims(deduce(other))) == ({*expected, pair} if seen_account else set())


def test_an_id_that_is_no_key_is_passed_over(stage: Any) -> None:
    first = blind15_ids(stage.accounts[0].id, KEYS[0])[0]
    stage.plants = {"outer": lambda raw: in_outer(raw, a=first.hex(), b="05" + "00" * 32, c="05" + "ff" * 32)}
    stage.poll(0, FIRST)
    assert linked(claims(deduce(in_communities(stage.view([0]))))) == set()


def closed(stage: Any, *links: tuple[Relation, str, str]) -> set[tuple[str, str]]:
    """Give what follows from some links, whatever they came from."""
    notes = Notes(Closure(stage.view([0])))
    for t_us, (relation, one, other) in enumerate(links):
        notes.note(relation, one, other, t_us, lambda t_us=t_us: (f"step {t_us}",))
    join_identities(notes)
    return linked(claims(notes.facts())) - {(one, other) for _, one, other in links}


def test_what_is_one_with_a_third_is_one(stage: Any) -> None:
    acts, one = Relation.ACTS_FOR, Relation.LINKED
    assert closed(stage, (one, "account:a", "member:m"), (one, "account:a", "blinded:b")) == {
        ("member:m", "blinded:b"),
    }
    assert closed(stage, (acts, "addr:1", "account:a"), (one, "account:a", "member:m")) == {
        ("addr:1", "member:m"),
    }
    chain = [(one, "account:a", "member:1"), (one, "account:a", "member:2"), (one, "member:2", "blinded:b")]
    assert closed(stage, *chain) == {
        ("member:1", "member:2"), ("account:a", "blinded:b"), ("member:1", "blinded:b"),
    }  # fmt: skip
    assert closed(stage, (one, "account:a", "member:m"), (one, "account:b", "member:n")) == set()


def test_two_addresses_of_one_account_are_one(stage: Any) -> None:
    acts = Relation.ACTS_FOR
    assert closed(stage, (acts, "addr:1", "account:a"), (acts, "addr:2", "account:a")) == {
        ("addr:1", "addr:2"),
    }


def test_neither_a_shared_address_nor_the_key_of_a_group_joins_accounts(stage: Any) -> None:
    acts, one = Relation.ACTS_FOR, Relation.LINKED
    assert closed(stage, (acts, "addr:1", "account:a"), (acts, "addr:1", "account:b")) == set()
    assert (
        closed(
            stage, (acts, "addr:1", "account:a"), (acts, "addr:1", "group:g"),
            (acts, "addr:2", "account:b"), (acts, "addr:2", "group:g"),
        )
        == set()
    )  # fmt: skip
    shared = [(acts, "addr:1", "account:a"), (acts, "addr:1", "account:b"), (one, "account:a", "member:m")]
    assert closed(stage, *shared) == set()


def test_a_joined_name_is_known_when_its_last_link_is_and_says_all_of_them(stage: Any) -> None:
    notes = Notes(Closure(stage.view([0])))
    for t_us, other in ((5, "member:1"), (9, "member:2")):
        notes.note(Relation.LINKED, "account:a", other, t_us, lambda t_us=t_us: (f"step {t_us}",))
    join_identities(notes)
    (fact,) = [fact for fact in notes.facts() if fact.subject == "member:1"]
    assert (fact.object, fact.t_us, fact.derivation) == ("member:2", 9, ("step 5", "step 9"))
