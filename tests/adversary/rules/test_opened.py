"""Messages of groups and configs open with secrets that come out of other messages, for whom it may be.

A world of real machines: a group is created and talks, one member is taken out, names change. Who holds a
member's keys and the ciphertexts reads from then on what the member could read, and nothing else.
"""

from __future__ import annotations

from array import array

import pytest

from sessionsim.adversary import Closure, Transcript, deduce
from sessionsim.adversary.explaining import explain
from sessionsim.adversary.keyring import NEVER
from sessionsim.core.intents import ConfigChange, GroupAction, GroupText, Intent, Wish
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Position, Role, Taking
from sessionsim.core.units import US_PER_S
from tests.adversary.test_findings import Claims, Findings, of

WISHES: tuple[Wish, ...] = (
    GroupAction(4 * US_PER_S, 0, 0, 0, "create", (1, 2), "walkers"),
    GroupAction(12 * US_PER_S, 1, 0, 1, "join"),
    GroupAction(13 * US_PER_S, 2, 0, 2, "join"),
    *(GroupText((18 + 2 * k) * US_PER_S, 2 * k, 0, f"before {k}", 0) for k in range(2)),
    Intent(21 * US_PER_S, 0, 1, "hello"),
    GroupAction(28 * US_PER_S, 0, 0, 3, "remove", (2,)),
    GroupAction(33 * US_PER_S, 0, 0, 4, "promote", (1,)),
    GroupText(40 * US_PER_S, 1, 0, "after", 0),
    ConfigChange(42 * US_PER_S, 1, "profile", "name", 0),
    ConfigChange(44 * US_PER_S, 1, "contacts", "contact", 0),
)
OWNER, MEMBER, REMOVED = range(3)


@pytest.fixture(scope="module")
def world() -> Findings:
    return Findings("none", wishes=WISHES)


def holding(world: Findings, *clients: int, at_us: int = 0, archive: bool = True) -> Position:
    """Stand at every swarm, and have taken the keys of some accounts."""
    nodes = range(len(world.world.nodes)) if archive else ()
    ends = world.world.scene.client_endpoints
    return Position(
        in_role=frozenset((node, Role.MEMBER) for node in nodes),
        taken=frozenset(Taking(ends[client], at_us, stays=False) for client in clients),
    )


def kinds(known: Claims) -> list[str]:
    return sorted(kind for _, kind in of(known, Relation.HOLDS))


def group_of(world: Findings) -> str:
    (group,) = {g for _, g in of(world.claims(holding(world, OWNER)), Relation.LEADS)}
    return group


def texts_of_group(world: Findings, known: Claims) -> list[str]:
    """Give who wrote what was opened in the group."""
    group = group_of(world)
    inbox = {message for message, its in of(known, Relation.ADDRESSED_TO) if its == group}
    texts = {message for message, kind in of(known, Relation.HOLDS) if kind == "kind:text"} & inbox
    return sorted(
        who for message, who in of(known, Relation.WRITTEN_BY, "message:", "account:") if message in texts
    )


def test_a_members_key_opens_the_keys_message_and_with_its_key_the_group(world: Findings) -> None:
    known, group = world.claims(holding(world, MEMBER)), group_of(world)
    assert texts_of_group(world, known) == sorted(world.accounts)
    assert (Relation.CALLED, group, "name:walkers") in known
    members = {who for who, its in of(known, Relation.MEMBER_OF, "account:") if its == group}
    assert members == set(world.accounts)
    assert of(known, Relation.LEADS) == {(world.accounts[k], group) for k in (OWNER, MEMBER)}


def test_swarms_alone_open_nothing(world: Findings) -> None:
    known = world.claims(holding(world))
    for relation in (Relation.HOLDS, Relation.CALLED, Relation.KNOWS, Relation.LEADS):
        assert of(known, relation) == set()
    assert texts_of_group(world, known) == []


def test_a_key_alone_opens_nothing(world: Findings) -> None:
    assert world.claims(holding(world, MEMBER, archive=False)) == set()


def test_a_removed_member_reads_no_further(world: Findings) -> None:
    known = world.claims(holding(world, REMOVED))
    assert texts_of_group(world, known) == sorted([world.accounts[0], world.accounts[2]])


def test_an_admin_gets_the_groups_seed_from_its_own_config_and_the_key_from_the_admins_slot(
    world: Findings,
) -> None:
    transcript, owners = world.transcript, world.transcript.keys.owners
    group = group_of(world)
    (seed,) = [number for number, owner in enumerate(owners) if owner == f"seed of {group}"]
    closure = Closure(world.view(holding(world, OWNER)), transcript)
    openings = transcript.meaning.openings
    message, key = (values[closure.handed_by(seed)] for values in openings.opened)
    assert owners[key] == world.accounts[OWNER]
    assert openings.contents[message].kind == "groups"
    handed = {
        owners[out] for way, out in zip(*openings.handed, strict=True) if openings.opened[1][way] == seed
    }
    assert handed == {f"key {k} of {group}" for k in range(2)}


def test_a_promotion_hands_the_groups_seed_over(world: Findings) -> None:
    """Who only has the key of the one who was promoted has the seed from that message on."""
    transcript, group = world.transcript, group_of(world)
    seed = transcript.keys.owners.index(f"seed of {group}")
    closure = Closure(world.view(holding(world, MEMBER)), transcript)
    message = transcript.meaning.openings.opened[0][closure.handed_by(seed)]
    assert transcript.meaning.openings.contents[message].kind == "grouppromote"
    assert int(closure.t_secret[seed]) == int(closure.t_had[message]) > 33 * US_PER_S
    others = Closure(world.view(holding(world, REMOVED)), transcript)
    assert int(others.t_secret[seed]) == NEVER


def test_a_secret_may_come_out_of_what_another_secret_opened(
    world: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its slot as a member an admin still gets from its account's key to the seed, and to the key."""
    openings, owners = world.transcript.meaning.openings, world.transcript.keys.owners
    ways = [
        (way, out)
        for way, out in zip(*openings.handed, strict=True)
        if any(owners[one].startswith("seed of") for one in (out, openings.opened[1][way]))
    ]
    turned = (array("q", [way for way, _ in reversed(ways)]), array("q", [out for _, out in reversed(ways)]))
    monkeypatch.setattr(openings, "handed", turned)
    closure = Closure(world.view(holding(world, OWNER)), world.transcript)
    keys = [number for number, owner in enumerate(owners) if owner.startswith("key ")]
    assert len(keys) == 2
    assert all(int(closure.t_secret[number]) < NEVER for number in keys)


def test_configs_open_with_the_seed_and_tell_contacts_groups_and_profile(world: Findings) -> None:
    known, account, group = world.claims(holding(world, MEMBER)), world.accounts[MEMBER], group_of(world)
    assert (Relation.CALLED, account, "name:Client 0000 1") in known
    assert {"kind:profile", "kind:groups", "kind:group-info", "kind:group-members"} <= set(kinds(known))
    assert (Relation.MEMBER_OF, account, group) in known
    assert of(known, Relation.KNOWS) == {(account, world.accounts[OWNER])}
    written = {m for m, who in of(known, Relation.WRITTEN_BY) if who == account}
    profiles = {m for m, kind in of(known, Relation.HOLDS) if kind == "kind:profile"}
    assert profiles <= written


def test_configs_of_others_stay_closed(world: Findings) -> None:
    known = world.claims(holding(world, OWNER))
    assert (Relation.CALLED, world.accounts[MEMBER], "name:Client 0000 1") not in known


def test_nothing_is_read_before_the_keys_are_there(world: Findings) -> None:
    late = 39 * US_PER_S
    facts = deduce(world.view(holding(world, MEMBER, at_us=late)), world.transcript)
    opened = [fact.t_us for fact in facts if fact.relation in (Relation.HOLDS, Relation.CALLED)]
    assert opened
    assert min(opened) == late
    assert max(opened) > late


def test_each_step_from_the_held_key_to_the_groups_text_is_told(world: Findings) -> None:
    closure = Closure(world.view(holding(world, MEMBER)), world.transcript)
    facts, group = deduce(closure.view, world.transcript), group_of(world)
    messages = {f.subject for f in facts if f.relation is Relation.ADDRESSED_TO and f.object == group}
    fact = next(f for f in facts if f.object == "kind:text" and f.subject in messages)
    opens = [step for step in fact.derivation if " opens a " in step and "layer" not in step]
    assert opens == [
        f"key x25519 of {world.accounts[MEMBER]} opens a member's slot of a keys message",
        f"key 0 of {group} opens a message to the group",
    ]
    told = {step.text: step.told for step in explain(closure, fact).steps}
    assert told[opens[0]][0].startswith("The observer has the secrets of account:05")
    assert "Inside: group-keys, made by group:03" in told[opens[0]][1]
    assert told[opens[1]][0].startswith("This secret came out of a message opened before")
    assert "Inside: text, made by account:05" in told[opens[1]][1]


def test_what_an_observer_opens_does_not_depend_on_who_else_is_in_the_transcript(world: Findings) -> None:
    view = world.view(holding(world, MEMBER))
    assert deduce(view, world.transcript) == deduce(view, Transcript(view))


def test_every_opening_is_one_of_the_real_machines(world: Findings) -> None:
    """What the observer reads is what the members' devices showed: nothing more, nothing else."""
    known = world.claims(holding(world, OWNER, MEMBER, REMOVED))
    messages = world.truth.messages
    rows = zip(*(messages[name].tolist() for name in ("hash", "kind", "sender")), strict=True)
    for name, kind, sender in rows:
        if kind == "group-text":
            assert (Relation.WRITTEN_BY, f"message:{name}", world.accounts[sender]) in known
            assert (Relation.HOLDS, f"message:{name}", "kind:text") in known
