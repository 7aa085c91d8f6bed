"""Reactions and deletions in groups: who may, who does, and what becomes of the stored message."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.protocol import contents
from sessionsim.protocol.client.groups.waiting import NOT_IN
from sessionsim.protocol.contents import GroupDeleteContent, GroupUpdate
from sessionsim.protocol.namespaces import GROUP_MESSAGES


def hash_of(village: Any, ref: int) -> str:
    return next(str(value) for what, value in village.outcome(ref) if what == "hash")


def kept(village: Any, group_id: bytes) -> set[str]:
    return {message.hash for message in village.kept(group_id, GROUP_MESSAGES)}


def test_a_reaction_is_shown_to_all_others_and_is_no_text(village: Any) -> None:
    crowd = village.crowd(range(3))
    people = village.people(range(3), crowd)
    village.tell(people[0], "group-text", 0, crowd.id, "hello", ())
    village.run(10)
    village.tell(people[1], "group-react", 1, crowd.id, village.id_of(0), 77, "😮", False)
    village.run(10)
    assert village.is_stored(1)
    assert [what for what, _ in village.outcome(1)][:3] == ["hash", "written", "to"]
    reaction = contents.Reaction(77, village.id_of(0), "😮")
    assert sorted(who for who, body, _ in village.delivered if body == reaction) == [0, 2]


@pytest.mark.parametrize("author", [0, 1], ids=["an admin", "a member"])
def test_a_deletion_by_the_author_reaches_the_swarm_through_an_admin(village: Any, author: int) -> None:
    crowd = village.crowd(range(3), [0])
    people = village.people(range(3), crowd)
    village.tell(people[author], "group-text", 0, crowd.id, "oops", ())
    village.run(10)
    oops = hash_of(village, 0)
    assert oops in kept(village, crowd.id)
    village.tell(people[author], "group-unsend", 1, crowd.id, oops)
    village.run(15)
    assert village.is_stored(1)
    assert oops not in kept(village, crowd.id)
    wish = GroupDeleteContent(hashes=(oops,))
    assert sorted(who for who, body, _ in village.delivered if body == wish) == [
        k for k in range(3) if k != author
    ]


def test_without_an_admin_online_the_message_stays_in_the_swarm(village: Any) -> None:
    crowd = village.crowd(range(3), [0])
    people = village.people((1, 2), crowd)
    village.tell(people[0], "group-text", 0, crowd.id, "oops", ())
    village.run(10)
    village.tell(people[0], "group-unsend", 1, crowd.id, hash_of(village, 0))
    village.run(15)
    assert hash_of(village, 0) in kept(village, crowd.id)


def test_nobody_deletes_what_others_wrote(village: Any) -> None:
    crowd = village.crowd(range(3), [0])
    people = village.people(range(3), crowd)
    village.tell(people[1], "group-text", 0, crowd.id, "mine", ())
    village.run(10)
    mine = hash_of(village, 0)
    village.tell(people[2], "group-unsend", 1, crowd.id, mine)
    village.run(15)
    assert mine in kept(village, crowd.id)
    assert not [body for _, body, _ in village.delivered if isinstance(body, GroupDeleteContent)]


def test_a_forged_order_of_an_admin_is_not_followed(village: Any) -> None:
    crowd = village.crowd(range(3), [0])
    people = village.people(range(3), crowd)
    village.tell(people[1], "group-text", 0, crowd.id, "mine", ())
    village.run(10)
    mine = hash_of(village, 0)
    forged = GroupUpdate(GroupDeleteContent(hashes=(mine,), admin_signature=bytes(64)))
    groups = people[2].groups
    village.do(people[2], groups.talk.tell(groups.standings[crowd.id], forged, 5, village.now_us))
    village.run(15)
    assert mine in kept(village, crowd.id)


def test_who_is_not_in_the_group_can_do_neither(village: Any) -> None:
    crowd = village.crowd(range(3), [0])
    people = village.people(range(3), crowd)
    village.act(people[1], 0, crowd.id, "leave")
    village.run(10)
    village.tell(people[1], "group-react", 1, crowd.id, village.id_of(0), 77, "😮", False)
    village.tell(people[1], "group-unsend", 2, crowd.id, "hash")
    assert village.outcome(1) == village.outcome(2) == [("failed", NOT_IN)]
