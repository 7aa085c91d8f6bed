"""Groups as their members live them: real clients of all platforms and real nodes."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.protocol.client.groups.standing import Place
from sessionsim.protocol.client.groups.waiting import NOT_IN


def test_everybody_in_a_group_reads_what_each_says(village: Any) -> None:
    crowd = village.crowd(range(4))
    people = village.people(range(4), crowd)
    for k, one in enumerate(people):
        village.tell(one, "group-text", k, crowd.id, f"hello from {k}", ())
    village.run(15)
    for k in range(4):
        assert village.is_stored(k)
        assert village.readers(f"hello from {k}") == [other for other in range(4) if other != k]


@pytest.mark.parametrize("founder", range(3), ids=["desktop", "android", "ios"])
def test_a_group_is_founded_and_those_who_accept_are_in(village: Any, founder: int) -> None:
    people = village.people(range(4))
    group, others = village.group(), [k for k in range(4) if k != founder]
    village.act(people[founder], 0, group.id, "create", *others, name="new ones", seed=group.ed.secret)
    for ref, k in enumerate(others[:2], 1):
        village.act(people[k], ref, group.id, "join")
    village.run(40)
    assert all(village.is_stored(ref) for ref in range(3))
    village.tell(people[founder], "group-text", 5, group.id, "welcome", ())
    village.tell(people[others[0]], "group-text", 6, group.id, "thanks", ())
    village.run(15)
    assert village.readers("welcome") == others[:2]
    assert village.readers("thanks") == sorted([founder, others[1]])
    standings = [people[k].standing(group.id) for k in (founder, *others[:2])]
    assert all(one.info.name == "new ones" for one in standings)
    for one in standings:
        assert {m.id for m in one.members} == {village.id_of(k) for k in range(4)}
        accepted = {m.id for m in one.members if not m.invitation}
        assert accepted == {village.id_of(k) for k in (founder, *others[:2])}
    assert people[others[2]].standing(group.id).place is Place.INVITED


@pytest.mark.parametrize("history", [True, False], ids=["with history", "without"])
@pytest.mark.parametrize("admin", range(3), ids=["desktop", "android", "ios"])
def test_who_is_invited_reads_what_is_older_only_with_history(
    village: Any, admin: int, history: bool
) -> None:
    crowd = village.crowd(range(3), [admin])
    people = village.people(range(4), crowd)
    village.tell(people[(admin + 1) % 3], "group-text", 0, crowd.id, "of old", ())
    village.run(10)
    village.act(people[admin], 1, crowd.id, "invite", 3, history=history)
    village.act(people[3], 2, crowd.id, "join")
    village.tell(people[3], "group-text", 3, crowd.id, "here I am", ())
    village.run(40)
    assert all(village.is_stored(ref) for ref in range(4))
    assert (3 in village.readers("of old")) == history
    assert village.readers("here I am") == [0, 1, 2]
    village.tell(people[admin], "group-text", 4, crowd.id, "hello", ())
    village.run(15)
    assert village.readers("hello") == [k for k in range(4) if k != admin]


@pytest.mark.parametrize("admin", range(3), ids=["desktop", "android", "ios"])
def test_who_is_removed_can_neither_read_nor_store_any_more(village: Any, admin: int) -> None:
    crowd = village.crowd(range(4), [admin])
    people = village.people(range(4), crowd)
    village.run(10)
    village.act(people[admin], 0, crowd.id, "remove", 3)
    village.run(40)
    assert village.is_stored(0)
    assert people[3].standing(crowd.id).place is Place.KICKED
    for k in range(3):
        standing = people[k].standing(crowd.id)
        assert village.id_of(3) not in {m.id for m in standing.members}
        assert standing.ring.generation == 1
    village.tell(people[0], "group-text", 1, crowd.id, "without you", ())
    village.tell(people[3], "group-text", 2, crowd.id, "may I?", ())
    village.run(20)
    assert village.readers("without you") == [k for k in (1, 2)]
    assert village.outcome(2) == [("failed", NOT_IN)]


@pytest.mark.parametrize("leaver", range(1, 4))
def test_who_leaves_is_struck_from_the_list_by_an_admin(village: Any, leaver: int) -> None:
    crowd = village.crowd(range(4))
    people = village.people(range(4), crowd)
    village.run(10)
    village.act(people[leaver], 0, crowd.id, "leave")
    village.run(60)
    assert village.is_stored(0)
    assert people[leaver].standing(crowd.id).place is Place.LEFT
    for k in set(range(4)) - {leaver}:
        assert village.id_of(leaver) not in {m.id for m in people[k].standing(crowd.id).members}
    village.tell(people[0], "group-text", 1, crowd.id, "gone", ())
    village.run(15)
    assert village.readers("gone") == [k for k in range(1, 4) if k != leaver]


def test_a_promoted_member_acts_as_an_admin(village: Any) -> None:
    crowd = village.crowd(range(4))
    people = village.people(range(4), crowd)
    village.run(10)
    village.act(people[0], 0, crowd.id, "promote", 1)
    village.act(people[1], 1, crowd.id, "rename", name="under new rule")  # waits for the promotion
    village.run(60)
    assert village.is_stored(0)
    assert village.is_stored(1)
    for one in people:
        standing = one.standing(crowd.id)
        assert standing.info.name == "under new rule"
        member = standing.members.get(village.id_of(1))
        assert member.admin
        assert not member.promotion
    assert people[1].standing(crowd.id).admin is not None


def test_two_admins_at_once_end_with_one_list_and_one_key(village: Any) -> None:
    crowd = village.crowd(range(4), [0, 1])
    people = village.people(range(6), crowd)
    village.run(10)
    # Both make the next key, for different people: two keys of one generation, settled by a third.
    village.act(people[0], 0, crowd.id, "invite", 4, history=False)
    village.act(people[1], 1, crowd.id, "invite", 5, history=False)
    village.act(people[4], 2, crowd.id, "join")
    village.act(people[5], 3, crowd.id, "join")
    village.run(90)
    assert all(village.is_stored(ref) for ref in range(4))
    standings = [one.standing(crowd.id) for one in people]
    for one in standings:
        assert {m.id for m in one.members} == {village.id_of(k) for k in range(6)}
        assert one.ring.generation >= 2
        assert not one.ring.needs_rekey
    assert len({one.ring.sending_key for one in standings}) == 1
    for k in range(6):
        village.tell(people[k], "group-text", 10 + k, crowd.id, f"all of us {k}", ())
    village.run(20)
    for k in range(6):
        assert village.readers(f"all of us {k}") == [other for other in range(6) if other != k]


def test_two_admins_who_rename_at_once_agree_on_a_name(village: Any) -> None:
    crowd = village.crowd(range(3), [0, 1])
    people = village.people(range(3), crowd)
    village.run(10)
    village.act(people[0], 0, crowd.id, "rename", name="first")
    village.act(people[1], 1, crowd.id, "rename", name="second")
    village.run(60)
    names = {one.standing(crowd.id).info.name for one in people}
    assert len(names) == 1
    assert names <= {"first", "second"}
    assert all(not config.needs_push for one in people for config in one.standing(crowd.id).configs)


@pytest.mark.parametrize("admin", range(3), ids=["desktop", "android", "ios"])
def test_who_was_removed_can_be_invited_again(village: Any, admin: int) -> None:
    crowd = village.crowd(range(4), [admin])
    people = village.people(range(4), crowd)
    village.run(10)
    village.act(people[admin], 0, crowd.id, "remove", 3)
    village.run(40)
    village.act(people[admin], 1, crowd.id, "invite", 3)
    village.act(people[3], 2, crowd.id, "join")
    village.tell(people[3], "group-text", 3, crowd.id, "back again", ())
    village.run(40)
    assert people[3].standing(crowd.id).place is Place.IN
    assert village.readers("back again") == [0, 1, 2]
    village.tell(people[admin], "group-text", 4, crowd.id, "good", ())
    village.run(15)
    assert village.readers("good") == [k for k in range(4) if k != admin]


def test_an_old_farewell_strikes_who_came_back_once_a_new_admin_can_read_it(village: Any) -> None:
    crowd = village.crowd(range(3))
    people = village.people(range(4), crowd)
    village.run(10)
    village.act(people[2], 0, crowd.id, "leave")
    village.run(40)
    village.act(people[0], 1, crowd.id, "invite", 3, history=False)
    village.act(people[3], 2, crowd.id, "join")
    village.act(people[0], 3, crowd.id, "invite", 2)
    village.act(people[2], 4, crowd.id, "join")
    village.run(60)
    assert people[2].standing(crowd.id).place is Place.IN
    village.act(people[0], 5, crowd.id, "promote", 3)  # The admins' keys open what was said before it came.
    village.run(60)
    assert all(village.is_stored(ref) for ref in range(6))
    assert people[2].standing(crowd.id).place is Place.KICKED
    assert village.id_of(2) not in {m.id for m in people[0].standing(crowd.id).members}


def test_nodes_refuse_the_token_of_who_was_removed_but_for_the_kick(village: Any) -> None:
    crowd = village.crowd(range(3))
    people = village.people(range(3), crowd)
    old = people[2].standing(crowd.id)
    village.run(10)
    village.act(people[0], 0, crowd.id, "remove", 2)
    village.run(40)
    codes = {
        namespace: village.direct(crowd.id, village.retrieve_call(old, namespace))
        for namespace in (-11, 11, 12, 13, 14)
    }
    assert codes == {-11: 200, 11: 401, 12: 401, 13: 401, 14: 401}
    assert village.direct(crowd.id, village.store_call(old, 11)) == 401
    still = people[1].standing(crowd.id)
    assert village.direct(crowd.id, village.store_call(still, 11)) == 200


@pytest.mark.parametrize("suite", ["sodium"])
def test_the_same_happens_with_real_curves(make_village: Any, suite: str) -> None:
    def story(village: Any) -> Any:
        crowd = village.crowd(range(3))
        people = village.people(range(4), crowd)
        village.tell(people[1], "group-text", 0, crowd.id, "one", ())
        village.act(people[0], 1, crowd.id, "invite", 3)
        village.act(people[3], 2, crowd.id, "join")
        village.run(12)
        village.act(people[0], 3, crowd.id, "remove", 1)
        village.run(12)
        return village.asked, village.delivered, [log[:3] for log in village.logs]

    assert story(make_village(suite)) == story(make_village("fast"))


@pytest.mark.parametrize("platform", ["desktop", "android", "ios"])
def test_a_promoted_admin_of_desktop_asks_for_everything_once_more(village: Any, platform: str) -> None:
    crowd = village.crowd(range(2))
    founder = village.settle("desktop", 0, {}, [crowd.of(0)])
    member = village.settle(platform, 1, {}, [crowd.of(1)])
    village.begin()
    village.tell(founder, "group-text", 0, crowd.id, "hello", ())
    village.run(40)
    assert village.readers("hello") == [1]
    poller = member.groups._pollers[crowd.id]
    assert poller._last_hash
    assert poller._known
    kept = dict(poller._last_hash)
    village.act(founder, 1, crowd.id, "promote", 1)
    forgot = False
    for _ in range(120):
        village.run(0.5)
        if member.standing(crowd.id).admin is not None:
            forgot = not poller._known
            break
    assert member.standing(crowd.id).admin is not None
    assert forgot is (platform == "desktop")
    if platform != "desktop":
        assert set(kept) <= set(poller._last_hash)
    village.run(60)
    # What it had read it does not show again.
    assert village.readers("hello") == [1]
