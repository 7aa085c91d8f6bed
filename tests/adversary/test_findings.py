"""What the deduction finds by itself in a world of groups, rooms and pushes on real machines, and what not.

No rule knows of any of this; each test asserts a property of the messenger that shows in its bytes
(metrics 2i; threat-model 3).
"""

from __future__ import annotations

import dataclasses
from functools import cached_property

import pytest

from sessionsim.adversary import Transcript, claims, deduce, observe
from sessionsim.adversary.observation import dotted
from sessionsim.core.intents import File, Group, GroupAction, GroupText, Intent, Post, Reader, Wish
from sessionsim.core.ledger import Relation
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position, Role
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_S
from sessionsim.core.view import View
from sessionsim.network.servers import ServerRules
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.push import PLATFORMS as PUSHES
from sessionsim.protocol.client.rules import PLATFORMS as CLIENTS

NAMES = ("desktop", "android", "ios")
WISHES: tuple[Wish, ...] = (
    Group(0, 0, 0, (0, 1, 2), "three"),
    *(Reader(0, account, room) for room in (0, 1) for account in (0, 1)),
    *(GroupText((20 + k) * US_PER_S, k, 0, f"all {k}", 0) for k in range(3)),
    *(Intent((24 + k) * US_PER_S, k, (k + 1) % 3, f"hello {k}") for k in range(3)),
    GroupAction(36 * US_PER_S, 0, 0, 0, "remove", (2,)),
    *(Post((30 + k) * US_PER_S, k, room, f"post {k} {room}", 0) for k in range(2) for room in (0, 1)),
)
PUSHED = {
    name: dataclasses.replace(rules, fast_prob=0.0 if name == "desktop" else 1.0)
    for name, rules in PUSHES.items()
}


Claims = set[tuple[Relation, str, str]]


class Findings:
    """A world and everything that happened in it, to be seen from anywhere."""

    def __init__(
        self,
        guard_test: str,
        *,
        excluded: bool = True,
        wishes: tuple[Wish, ...] = WISHES,
        owned: bool = False,
        seed: int = 5,
        platforms: tuple[str, ...] = NAMES,
    ) -> None:
        """Make a world. Args: owned: keep the passing keys of devices, so that they can be looked into."""
        rules = {
            name: dataclasses.replace(client, exclude_destination=excluded)
            for name, client in CLIENTS.items()
        }
        rules["desktop"] = dataclasses.replace(rules["desktop"], first_start=True, guard_test=guard_test)
        spec = WorldSpec(
            date="2026-04-28", platforms=platforms, intents=wishes, horizon_us=55 * US_PER_S,
            measured=(0, 55 * US_PER_S), seeds=Seeds(seed), epoch_ms=1_777_377_600_000, limit_swarms=6,
            client_rules=rules, push_rules=PUSHED, suite="fast",
            server_rules=ServerRules(community_in=("DE", "DE")),
        )  # fmt: skip
        self.world, self.records = build(spec), MemoryRecords()
        every, devices = frozenset(range(len(self.world.machines))), self.world.scene.client_endpoints
        self.truth = self.world.run(self.records, every, True, owned=frozenset(devices if owned else ()))
        self.accounts = [f"account:{account.id_hex}" for account in self.world.accounts]

    def view(self, position: Position) -> View:
        world, servers = self.world, self.world.scene.servers
        kinds = {end: kind for kind, ends in servers.items() for end in ends}
        numbers: dict[str, int] = {}
        whose = (self.accounts[seat.account] for seat in world.seats)
        owners = dict(zip(world.scene.client_endpoints, whose, strict=True))
        for end, kind in sorted(kinds.items()):
            owners[end] = f"server:{kind}-{numbers[kind]}" if kind in numbers else f"server:{kind}"
            numbers[kind] = numbers.get(kind, 0) + 1
        keys = self.truth.keys
        x25519 = {
            owner: bytes.fromhex(public)
            for owner, kind, public in zip(
                *(keys[name].tolist() for name in ("owner", "kind", "public")), strict=True
            )
            if kind == "x25519"
        }
        return observe(
            "eve", position, self.records.table(), self.records.blobs, keys, world.nodes, world.spec.suite,
            owners, world.endpoints, kinds,
            {end: x25519[owner] for end, owner in owners.items() if end in kinds and owner in x25519},
            countries=dict(zip(world.scene.client_endpoints, world.scene.client_country, strict=True)),
        )  # fmt: skip

    def claims(self, position: Position) -> Claims:
        return claims(deduce(self.view(position), self.transcript))

    @cached_property
    def transcript(self) -> Transcript:
        everyone = frozenset(range(len(self.world.machines)))
        return Transcript(self.view(Position(operated=everyone)))

    def role(self, *roles: Role) -> Claims:
        nodes = range(len(self.world.nodes))
        return self.claims(Position(in_role=frozenset((node, role) for node in nodes for role in roles)))

    def servers(self, *kinds: str) -> Claims:
        ends = (end for kind in kinds for end in self.world.scene.servers[kind])
        return self.claims(Position(operated=frozenset(ends)))

    def address(self, client: int) -> str:
        ip = int(self.world.endpoints["ip"][self.world.scene.client_endpoints[client]])
        return f"addr:{dotted(ip)}"


def of(known: Claims, relation: Relation, *kinds: str) -> set[tuple[str, str]]:
    """Give the pairs of a relation whose terms are of these kinds; none for any."""
    return {
        (one, other)
        for what, one, other in known
        if what is relation
        and all(term.startswith(kind) for term, kind in zip((one, other), kinds, strict=False))
    }


@pytest.fixture(scope="module")
def found() -> Findings:
    return Findings("own-swarm")


def test_a_swarm_member_knows_accounts_times_sizes_and_stamps_and_no_address(found: Findings) -> None:
    known = found.role(Role.MEMBER)
    assert of(known, Relation.ONLINE, "account:") == {(account, "") for account in found.accounts}
    hashes = [f"message:{name}" for name in found.truth.messages["hash"].tolist()]
    texts = {hashes[k] for k, kind in enumerate(found.truth.messages["kind"].tolist()) if kind == "text"}
    assert len(texts) == 3
    for relation in (Relation.ADDRESSED_TO, Relation.HAS_SIZE, Relation.HAS_TTL, Relation.STAMPED):
        assert texts <= {message for message, _ in of(known, relation)}, relation
    assert not any(term.startswith("addr:") for _, *terms in known for term in terms)


def test_the_desktops_guard_test_gives_its_address_and_account_and_goes_with_it(found: Findings) -> None:
    known = found.role(Role.GUARD)
    assert of(known, Relation.NAMED, "addr:", "account:") == {(found.address(0), found.accounts[0])}
    untested = Findings("none").role(Role.GUARD)
    assert of(untested, Relation.NAMED) == set()
    assert of(untested, Relation.ONLINE, "addr:") == of(known, Relation.ONLINE, "addr:")


def test_middle_and_last_hop_know_no_account_and_no_address(found: Findings) -> None:
    assert found.role(Role.MIDDLE) == set()
    assert found.role(Role.LAST) == set()
    assert found.role(Role.MIDDLE, Role.LAST) == set()


def test_one_node_alone_learns_who_asks_where_it_may_be_first_hop_and_destination_at_once(
    found: Findings,
) -> None:
    def alone(world: Findings) -> set[tuple[str, str]]:
        """Give the links of addresses and accounts that some single node knows, whatever its roles."""
        return {
            link
            for node in range(len(world.world.nodes))
            for link in of(world.claims(Position(operated=frozenset((node,)))), Relation.ACTS_FOR)
        }

    assert alone(found) == set()
    phones = {(found.address(k), found.accounts[k]) for k in range(3)}
    shown = alone(Findings("own-swarm", excluded=False))
    assert shown
    assert {link for link in shown if link[1].startswith("account:")} <= phones


def test_cipher_transport_and_field_order_tell_the_programs_apart(found: Findings) -> None:
    shown = of(found.role(Role.GUARD), Relation.SHOWS, "addr:")
    styles = [{style for address, style in shown if address == found.address(k)} for k in range(3)]
    assert styles == [
        {"transport:https", "cipher:aes-gcm"},
        {"transport:https", "cipher:aes-gcm"},
        {"transport:quic", "cipher:xchacha20"},
    ]
    orders = of(found.role(Role.MEMBER), Relation.SHOWS, "account:")
    assert {account for account, _ in orders} == set(found.accounts)
    assert len({order for _, order in orders}) == len(orders)  # no two programs share one


def test_a_members_token_is_one_name_from_the_first_poll_to_the_last(found: Findings) -> None:
    known = found.role(Role.MEMBER)
    members = of(known, Relation.MEMBER_OF, "member:", "group:")
    assert len(members) == 2  # the founder signs as the group itself
    assert len({group for _, group in members}) == 1
    assert {writer for _, writer in of(known, Relation.WRITTEN_BY, "message:", "member:")} == {
        member for member, _ in members
    }
    assert of(known, Relation.LINKED) == set()


def test_first_hop_and_swarm_member_together_know_who_the_members_are(found: Findings) -> None:
    known = found.role(Role.GUARD, Role.MEMBER)
    joined = of(known, Relation.LINKED, "account:", "member:")
    assert {account for account, _ in joined} == set(found.accounts[1:])
    assert len({member for _, member in joined}) == 2


def test_a_keys_message_shows_its_generation_and_its_slots(found: Findings) -> None:
    forms = {form for _, form in of(found.role(Role.MEMBER), Relation.SHOWS, "message:", "form:")}
    (keys,) = [form for form in forms if "G=" in form and "k[" in form]
    assert "G=1" in keys or "G=2" in keys
    slots = int(keys.partition("k[")[2].partition("]")[0])
    assert slots % 75 == 0  # messages 4.3: filled up, so that the members cannot be counted


def test_the_push_server_holds_account_and_token_and_with_the_platform_the_address(found: Findings) -> None:
    subscribed = of(found.servers("push"), Relation.NAMED, "account:", "token:")
    assert {account for account, _ in subscribed} == set(found.accounts[1:])
    assert len({token for _, token in subscribed}) == 2
    # Devices subscribe for their group too, as a member (client-behaviour 6.4): one token, so one owner.
    joined = of(found.servers("push"), Relation.LINKED)
    assert {account for account, _ in joined} == set(found.accounts[1:])
    assert all(member.startswith("member:") for _, member in joined)
    members = of(found.servers("push"), Relation.MEMBER_OF, "account:", "group:")
    assert {account for account, _ in members} == set(found.accounts[1:])
    platforms = of(found.servers("apple", "google"), Relation.NAMED, "addr:", "token:")
    assert platforms == {(found.address(k), dict(subscribed)[found.accounts[k]]) for k in (1, 2)}
    together = of(found.servers("push", "apple", "google"), Relation.LINKED, "addr:", "account:")
    assert together == {(found.address(k), found.accounts[k]) for k in (1, 2)}


def test_a_files_id_is_one_name_from_upload_to_download() -> None:
    files = [Intent((20 + 4 * k) * US_PER_S, 0, 1 + k, "see", 0, (File("voice", 4_000),)) for k in range(2)]
    world = Findings("none", wishes=tuple(files))
    stored = {name for name, _ in of(world.servers("file"), Relation.SEEN, "file:")}
    assert len(stored) == 2
    assert of(world.servers("file"), Relation.NAMED) == set()  # whose they are it cannot tell
    nodes = range(len(world.world.nodes))
    assert not any("file:" in term for _, *terms in world.role(*Role) for term in terms)
    ends = frozenset((*nodes, *world.world.scene.servers["file"]))
    users = of(world.claims(Position(operated=ends)), Relation.NAMED, "addr:", "file:")
    assert {file for _, file in users} == stored
    for file in stored:
        both = {address for address, its in users if its == file}
        assert len(both) == 2  # who wrote and who read
        assert world.address(0) in both


def test_a_community_sees_one_blinded_id_per_account_and_two_do_not_join_them(found: Findings) -> None:
    ends = found.world.scene.servers["community"]
    assert len(ends) == 2
    each = [found.claims(Position(operated=frozenset((end,)))) for end in ends]
    ids = [{name for name, _ in of(known, Relation.ONLINE, "blinded:")} for known in each]
    assert [len(names) for names in ids] == [2, 2]
    assert not ids[0] & ids[1]
    both = found.servers("community")
    assert of(both, Relation.LINKED) == set()
    assert not any(term.startswith(("account:", "addr:")) for _, *terms in both for term in terms)


def test_who_has_an_account_id_finds_it_in_every_community(found: Findings) -> None:
    ends = found.world.scene.servers["community"]
    alice = found.world.scene.client_endpoints[0]
    knowing = Position(operated=frozenset(ends), known=frozenset((alice,)))
    joined = of(found.claims(knowing), Relation.LINKED)
    assert {account for account, _ in joined if account.startswith("account:")} == {found.accounts[0]}
    assert len(joined) == 3  # two blinded ids of the account, and one of the other
