"""In which order each platform asks the swarm when an admin does something, and what it says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sessionsim.core.units import US_PER_S
from sessionsim.protocol.wire.rpc import message_hash

_ORDINARY = ("get_swarm", "retrieve", "expire")


class Ledger:
    """Takes down what one client asks, and has the village answer all the same."""

    def __init__(self, villager: Any) -> None:
        self.bodies: list[tuple[str, list[tuple[str, int | None]]]] = []
        self._send = villager.client.requests.send
        villager.client.requests.send = self.send

    def send(
        self, exchange: int, node: int, body: bytes, note: int, now_us: int, done: Any, *more: Any
    ) -> Any:
        if more:  # Android's batches come a second time, when they have waited for others
            return self._send(exchange, node, body, note, now_us, done, *more)
        parsed = orjson.loads(body)
        requests = parsed["params"].get("requests") or [parsed]
        calls = [
            (call["method"], call["params"].get("namespace", 0) if call["method"] == "store" else None)
            for call in requests
        ]
        if calls[0][0] not in _ORDINARY:
            self.bodies.append((parsed["method"], calls))
        return self._send(exchange, node, body, note, now_us, done)

    @property
    def plain(self) -> list[str]:
        """One line for each request: its method, then its calls, stores by their namespace."""
        names = {"revoke_subaccount": "revoke", "unrevoke_subaccount": "unrevoke"}
        return [
            f"{method}: "
            + " ".join(str(place) if name == "store" else names.get(name, name) for name, place in calls)
            for method, calls in self.bodies
        ]


# From session-desktop: metaGroups.ts, GroupSyncJob.ts, GroupInviteJob.ts, GroupPendingRemovalsJob.ts;
# session-android: GroupManagerV2Impl.kt, RemoveGroupMemberHandler.kt; session-ios: ConfigurationSyncJob.
# Numbers are namespaces of stores. An invitation waits for the lookup of a swarm, so what tells the group
# (11) may overtake it; Android's is followed by the copy for the own devices.
EXPECTED = {
    "create": {
        # Keys, info, members, what is told; then an unrevocation for each invitation.
        "desktop": ["sequence: 12 13 14 11", "sequence: unrevoke", "sequence: 0"],
        "android": ["sequence: 12 13 14", "batch: 11", "batch: 0", "batch: 0"],
        "ios": ["sequence: 12 13 14", "store: 0", "store: 11"],
    },
    "invite with history": {
        # Old keys before the new one, so that nobody meets configs it cannot read; none is made by phones.
        "desktop": ["sequence: 12 12 13 14 11 delete unrevoke", "sequence: 12 unrevoke", "sequence: 0"],
        "android": ["sequence: 12 unrevoke", "batch: 11", "batch: 0", "batch: 0", "sequence: 14 delete"],
        "ios": ["sequence: unrevoke 12 14 delete", "store: 0", "store: 11", "sequence: 14 delete"],
    },
    "invite without history": {
        "desktop": ["sequence: 12 13 14 11 delete unrevoke", "sequence: 12 unrevoke", "sequence: 0"],
        "android": ["sequence: unrevoke", "batch: 11", "batch: 0", "batch: 0", "sequence: 12 13 14 delete"],
        "ios": ["sequence: unrevoke 12 13 14 delete", "store: 0", "store: 11"],
    },
    "rename": {
        "desktop": ["sequence: 13 11 delete"],
        "android": ["batch: 11", "sequence: 13 delete"],
        "ios": ["sequence: 13 delete", "store: 11"],
    },
    "remove": {
        # The mark, the kick with the revocation, and then the new key for those who stay.
        "desktop": ["sequence: 14 11 delete", "sequence: -11 revoke", "sequence: 12 13 14 delete"],
        "android": ["batch: 11", "sequence: revoke -11", "sequence: 12 13 14 delete"],
        "ios": ["sequence: 14 delete", "store: 11", "sequence: -11 revoke", "sequence: 12 13 14 delete"],
    },
    "promote": {
        "desktop": ["sequence: 14 11 delete", "sequence: 0"],
        "android": ["batch: 11", "batch: 0", "batch: 0", "sequence: 14 delete"],
        "ios": ["sequence: 14 delete", "store: 0", "store: 11", "sequence: 14 delete"],
    },
}


@pytest.mark.parametrize("name", range(3), ids=["desktop", "android", "ios"])
@pytest.mark.parametrize("action", EXPECTED)
def test_requests_of_an_action(village: Any, action: str, name: int) -> None:
    platform = ("desktop", "android", "ios")[name]
    crowd = village.crowd([name, 7], [name])
    admin = village.settle(platform, name, {}, [crowd.of(name)])
    village.begin()
    village.run(8)
    ledger = Ledger(admin)
    if action == "create":
        group = village.group()
        village.act(admin, 0, group.id, "create", 9, name="new", seed=group.ed.secret)
    elif action.startswith("invite"):
        village.act(admin, 0, crowd.id, "invite", 9, history=action == "invite with history")
    elif action == "rename":
        village.act(admin, 0, crowd.id, "rename", name="another")
    else:
        village.act(admin, 0, crowd.id, action, 7)
    village.run(2.5)
    found = ledger.plain[: len(EXPECTED[action][platform])]
    if action == "create":
        # A new key goes along with whatever is pushed until a poll has brought it back.
        found = [line.replace("12 unrevoke", "unrevoke") for line in found]
    assert found == EXPECTED[action][platform]
    village.run(30)
    assert village.is_stored(0)


def test_a_text_is_one_store_without_a_second_copy(village: Any) -> None:
    crowd = village.crowd(range(3), [0])
    people = village.people(range(3), crowd)
    village.run(6)
    ledgers = [Ledger(one) for one in people]
    for k, one in enumerate(people):
        village.tell(one, "group-text", k, crowd.id, "hello", ())
    village.run(3)
    assert [ledger.plain for ledger in ledgers] == [["sequence: 11"], ["batch: 11"], ["store: 11"]]


def test_what_is_logged_of_a_text(village: Any) -> None:
    crowd = village.crowd(range(3), [0])
    people = village.people(range(3), crowd)
    village.run(6)
    said_ms = village.epoch_ms + village.now_us // 1000
    village.tell(people[1], "group-text", 5, crowd.id, "hello", ())
    village.run(3)
    logged = dict(village.outcome(5))
    (stored,) = village.stored(crowd.id, 11)
    assert logged["hash"] == message_hash(crowd.id, 11, stored)
    assert logged["written"] == (said_ms, said_ms + 14 * 86_400_000)
    assert logged["to"] == tuple(sorted(village.id_of(k) for k in range(3)))
    assert logged["attempts"] == 1
    assert 6 * US_PER_S < logged["stored"] < 7 * US_PER_S
    assert people[1].groups.pending() == ()
