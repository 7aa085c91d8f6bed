"""Messages to pseudonyms: who reads them, what the server has, failures, and who it was in the end."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.units import US_PER_S
from sessionsim.protocol import contents
from sessionsim.protocol.blinding import other_sign
from sessionsim.protocol.client.approvals import Approvals
from sessionsim.protocol.client.sealing import Opened
from sessionsim.protocol.communities.mail import mail_names
from sessionsim.protocol.contents import Message, RequestResponse, write
from sessionsim.protocol.machine import DELIVER
from tests.protocol.client.communities.test_part import EPOCH_MS, WAY_US, Member, World, three

S = US_PER_S


def mail(member: Member, ref: int, to: bytes, body: str, t_us: int, room: int = 4) -> None:
    write_it = member.part.commands["inbox-text"]
    member.world.at(t_us, member, lambda now_us: write_it(ref, room, to, body, now_us))


def own_id(member: Member) -> bytes:
    return member.part.standings[0].own_id


def test_the_owner_of_the_pseudonym_and_no_other_reads_it_and_learns_who_wrote() -> None:
    world, ann, bob, cem = three()
    heard: list[Opened] = []
    bob.client.readers.append(lambda _name, opened, _now_us: [heard.append(opened)][:0])
    mail(ann, 7, own_id(bob), "are you the one?", 20 * S)
    world.run(60 * S)
    assert (ann.shown(), bob.shown(), cem.shown()) == ([], ["are you the one?"], [])
    delivered = next(effect for effect in bob.effects if effect[1] == DELIVER)
    assert delivered[2:4] == (ann.client.account.id, EPOCH_MS + 20_000)
    assert delivered[5] == ann.logged("hash")[0]
    assert [opened.sender_id for opened in heard] == [ann.client.account.id]
    assert ann.logged("stored") == ann.logged("sync_stored") == [20 * S + 2 * WAY_US]
    (stored,) = world.server.state.inbox
    assert (stored.sender, stored.recipient) == (own_id(ann).hex(), own_id(bob).hex())
    assert world.server.held_names() == list(mail_names(stored.sealed))
    assert ann.logged("hash") + ann.logged("sync_hash") == world.server.held_names()
    assert b"the one" not in stored.sealed
    assert not [*ann.part.pending()]


def test_another_device_of_the_writer_reads_it_in_the_outbox() -> None:
    world = World()
    ann, bob = Member(world, 0, "ios"), Member(world, 1, "android")
    second = Member(world, 2, "desktop", seed=1)  # the account of the first
    world.start()
    mail(ann, 7, own_id(bob), "hi", 20 * S)
    world.run(60 * S)
    assert (ann.shown(), bob.shown(), second.shown()) == ([], ["hi"], ["hi"])
    copy = next(effect for effect in second.effects if effect[1] == DELIVER)
    assert copy[5] == ann.logged("sync_hash")[0] != ann.logged("hash")[0]


@pytest.mark.parametrize("status", [502, 404])
def test_a_server_that_fails_is_asked_again_and_one_that_knows_nobody_is_not(status: int) -> None:
    world, ann, bob, _ = three()
    world.broken = lambda answered: status
    mail(ann, 7, own_id(bob), "hi", 20 * S)
    world.run(3000 * S)
    attempts = 1 if status == 404 else ann.client.rules.send_attempts
    assert ann.logged("attempts") == list(range(1, attempts + 1))
    assert ann.logged("failed") == [f"status {status}"]
    assert not [*ann.part.pending()]


def test_one_that_lies_there_twice_is_shown_once() -> None:
    world, ann, bob, _ = three()
    mail(ann, 7, own_id(bob), "hi", 20 * S)
    world.broken = lambda answered: 504 if answered == 201 else answered
    world.run(20 * S + 3 * WAY_US)
    world.broken = lambda answered: answered
    world.run(100 * S)
    assert len(world.server.state.inbox) == 2
    assert bob.shown() == ["hi"]
    assert len(ann.logged("stored")) == 1


def test_wrong_rooms_wrong_ids_and_ids_unknown_to_the_server_are_refused() -> None:
    world, ann, bob, _ = three()
    mail(ann, 1, own_id(bob), "hi", 20 * S, room=9)
    mail(ann, 2, bob.client.account.id, "hi", 20 * S)
    mail(ann, 3, other_sign(own_id(bob)), "hi", 20 * S)
    world.run(60 * S)
    assert ann.logged("failed") == ["a room that is not read", "no blinded id", "status 404"]


def test_what_waits_is_given_up_when_the_program_stops() -> None:
    world, ann, bob, _ = three()
    world.down = True
    mail(ann, 7, own_id(bob), "hi", 20 * S)
    world.run(20 * S + 3 * WAY_US)
    assert [*ann.part.pending()] == [7]
    assert ann.part.forget("stopped", 21 * S) == [("log", "failed", 7, "stopped")] or not [
        *ann.part.pending()
    ]
    world.down = False
    world.run(200 * S)
    assert bob.shown() == []


def test_junk_in_an_inbox_is_dropped() -> None:
    world, ann, bob, _ = three()
    world.run(20 * S)
    state: Any = world.server.state
    mail(ann, 7, own_id(bob), "hi", 21 * S)
    world.run(21 * S + 3 * WAY_US)
    state.inbox[0] = state.inbox[0]._replace(sealed=b"\0" + bytes(200))
    world.run(60 * S)
    assert bob.shown() == []


def test_whoever_says_yes_is_found_to_be_the_one_who_was_asked() -> None:
    world, ann, bob, cem = three()
    approvals = Approvals()
    ann.part.mailbox._approvals = approvals
    mail(ann, 7, own_id(bob), "hi", 20 * S)
    world.run(30 * S)
    yes = write(Message(9, RequestResponse(True)))
    for member in (cem, bob):
        for reader in ann.client.readers:
            reader("H", Opened(member.client.account.id, yes), 31 * S)
    assert approvals.has_given(bob.client.account.id)
    assert not approvals.has_given(cem.client.account.id)
    assert contents.read(yes).part == RequestResponse(True)
