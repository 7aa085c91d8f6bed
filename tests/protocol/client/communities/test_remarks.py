"""What clients want of posts: it waits for their numbers, is tried again, and is for the server to do."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.units import US_PER_S
from sessionsim.protocol.communities.answers import read_posts
from tests.protocol.client.communities.test_part import WAY_US, Member, World, three

S = US_PER_S


def want(member: Member, t_us: int, name: str, *details: Any) -> None:
    member.world.at(t_us, member, lambda now_us: member.part.commands[name](*details, now_us))


def in_room(world: World) -> Any:
    return world.server.state.rooms["room-4"]


def posted(by: str = "ann") -> tuple[World, Member, Member, str]:
    """Ann has posted at 20 s; gives the world, both of them and the name of the post."""
    world, ann, bob, _ = three()
    ann.post(0, "hello room", 20 * S)
    world.run(40 * S)
    return world, ann, bob, ann.logged("hash")[0]


def reactions(world: World) -> dict[str, int]:
    (post,) = [post for post in in_room(world).posts.values() if post.content is not None]
    return {emoji: len(who) for emoji, who in post.reactions.items() if who}


def test_a_reader_reacts_and_takes_it_back() -> None:
    world, _, bob, name = posted()
    want(bob, 50 * S, "room-react", 1, 4, name, "😮", False)
    world.run(51 * S)
    assert reactions(world) == {"😮": 1}
    assert bob.logged("stored") == [50 * S + 2 * WAY_US]
    want(bob, 60 * S, "room-react", 2, 4, name, "😮", True)
    world.run(61 * S)
    assert reactions(world) == {}
    assert not [*bob.part.pending()]


def test_what_is_wanted_of_a_post_whose_number_is_unknown_waits_for_the_poll() -> None:
    world, ann, _, _ = three()
    ann.post(0, "oops", 20 * S)
    world.run(20 * S + 3 * WAY_US)
    name = ann.logged("hash")[0]
    want(ann, world_time := 20 * S + 4 * WAY_US, "room-unsend", 1, 4, name)
    world.run(world_time + 1)
    assert [*ann.part.pending()] == [1]
    assert ann.logged("stored") == [20 * S + 2 * WAY_US]
    world.run(60 * S)
    assert world.server.post_names() == []
    assert len(ann.logged("stored")) == 2
    assert not [*ann.part.pending()]


def test_only_the_author_may_delete() -> None:
    world, _, bob, name = posted()
    want(bob, 50 * S, "room-unsend", 1, 4, name)
    world.run(2000 * S)
    assert len(bob.logged("failed")) == 1
    assert bob.logged("failed")[0].startswith("status 4")
    assert len(world.server.post_names()) == 1


@pytest.mark.parametrize(("status", "attempts"), [(502, 10), (404, 1)])
def test_a_failing_server_is_asked_again_and_a_post_that_is_gone_is_not(status: int, attempts: int) -> None:
    world, _, bob, name = posted()
    world.broken = lambda answered: status
    want(bob, 50 * S, "room-react", 1, 4, name, "😮", False)
    world.run(3000 * S)
    assert bob.logged("attempts") == list(range(1, attempts + 1))
    assert bob.logged("failed") == [f"status {status}"]
    assert not [*bob.part.pending()]


def test_readers_learn_of_it_with_their_polls_and_show_nothing_twice() -> None:
    world, _, bob, name = posted()
    want(bob, 50 * S, "room-react", 1, 4, name, "😮", False)
    world.run(100 * S)
    assert all(member.shown().count("hello room") <= 1 for member in world.clients)
    assert read_posts([]) == []
