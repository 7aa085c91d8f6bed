"""The push server among nodes and platforms: whom it subscribes at, when again, and what it tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from sessionsim.core.columns import Transport
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.machine import EVENT, SEND, WAKE_AT, Effect
from sessionsim.protocol.push.authority import Authority
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.server import PushServer
from sessionsim.protocol.push.subscription import Device, sign_subscription, subscribe_request
from sessionsim.protocol.servers.behind_onion import ServerBehindOnion
from sessionsim.protocol.servers.platform import read_post
from sessionsim.protocol.servers.push import PushMachine
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.wire import monitor

SUITE = suite_named("fast")
HTTPS, OMQ = int(Transport.HTTPS), int(Transport.OMQ)
EPOCH_MS = 1_777_377_600_000
OWNER, OTHER = account_from_seed(bytes(16)), account_from_seed(bytes(15) + b"\1")
PLATFORMS = {"firebase": 90, "apns": 91}
RULES = PushRules()


def node_list(swarms: tuple[int, ...]) -> NodeList:
    keys = tuple(bytes([k + 1]) * 32 for k in range(len(swarms)))
    return NodeList(keys, keys, swarms, tuple(range(len(swarms))), tuple(range(len(swarms))))


NODES = node_list((0, 0, 0, 1 << 63, 1 << 63))


def members(account: Account, nodes: NodeList = NODES) -> tuple[int, ...]:
    swarm = nearest_swarm(swarm_position(account.id[1:]), nodes.swarm_ids)
    assert swarm is not None
    return nodes.members[swarm]


class Front:
    """Takes a subscription without the onion around it."""

    def __init__(self, server: PushServer) -> None:
        self._server = server

    def receive(self, src: int, conn: int, exchange: int, head: str, payload: Any, now_us: int) -> Any:
        answer = self._server.handle(payload, now_us)
        return [(SEND, src, conn, exchange, answer.status, answer.body, 0)]


def machine(rules: PushRules = RULES) -> PushMachine:
    server = PushServer(rules, SUITE, Entropy(bytes(32)), EPOCH_MS)
    return PushMachine(server, cast("ServerBehindOnion", Front(server)), rules, NODES, PLATFORMS)


def subscribe(made: PushMachine, owner: Account, now_us: int, token: str = "t" * 64) -> list[Effect]:
    authority = Authority(owner.id, owner.ed.public)
    now_s = EPOCH_MS // 1000 + now_us // US_PER_S
    signed = sign_subscription(authority, lambda text: SUITE.sign(owner.ed, text), (0,), now_s)
    request: Any = subscribe_request([(signed, Device("firebase", token), bytes(32))])
    return list(made.receive(7, HTTPS, 3, "lsrpc/v4", request, now_us))


def asked(effects: Any) -> list[int]:
    return sorted(effect[1] for effect in effects if effect[0] == SEND and effect[4] == "monitor")


def alarm(effects: Any) -> int:
    (t_us,) = (effect[1] for effect in effects if effect[0] == WAKE_AT)
    return cast("int", t_us)


def notification(owner: Account) -> bytes:
    told = monitor.Notification(owner.id, "h" * 43, 0, EPOCH_MS, EPOCH_MS, bytes(300))
    return monitor.write_notification(told)


def test_an_account_is_subscribed_at_once_at_all_members_of_its_swarm() -> None:
    effects = subscribe(machine(), OWNER, 0)
    assert effects[0][:4] == (SEND, 7, HTTPS, 3)
    assert asked(effects) == list(members(OWNER))
    calls = [effect for effect in effects if effect[0] == SEND and effect[4] == "monitor"]
    assert {effect[2] for effect in calls} == {OMQ}
    assert len({effect[3] for effect in calls}) == len(calls)
    read, _ = monitor.read_calls(calls[0][5])
    assert [call.ed25519 for call in read if isinstance(call, monitor.MonitorCall)] == [OWNER.ed.public]


def test_it_is_renewed_at_each_member_after_45_to_55_minutes() -> None:
    made = machine()
    effects: Any = subscribe(made, OWNER, 0)
    renewed: dict[int, list[int]] = {node: [] for node in members(OWNER)}
    now_us = 0
    while now_us < 120 * US_PER_MIN:
        now_us = alarm(effects)
        effects = made.wake(now_us)
        for node in asked(effects):
            renewed[node].append(now_us)
    for times in renewed.values():
        assert len(times) >= 2
        gaps = [b - a for a, b in zip([0, *times], times, strict=False)]
        assert all(45 * US_PER_MIN <= gap <= 55 * US_PER_MIN for gap in gaps)
    assert len({times[0] for times in renewed.values()}) > 1  # not all at one time


def test_resubscribing_a_device_asks_no_node_again() -> None:
    made = machine()
    subscribe(made, OWNER, 0)
    assert asked(subscribe(made, OWNER, US_PER_S)) == []
    assert asked(subscribe(made, OWNER, US_PER_S, "u" * 64)) == list(members(OWNER))


def test_the_first_of_many_announcements_goes_to_the_platform() -> None:
    made = machine()
    subscribe(made, OWNER, 0)
    for node in members(OWNER):
        effects = list(made.receive(node, OMQ, 5, "notify", notification(OWNER), US_PER_S))
        if node == members(OWNER)[0]:
            told, (kind, platform, conn, _, head, payload, note) = effects
            assert told[:2] == (EVENT, "push-sent")
            assert (kind, platform, conn, head, note) == (SEND, 90, HTTPS, "push", 0)
            assert read_post(payload)[0] == b"t" * 64
        else:
            assert effects == []
    assert list(made.receive(members(OWNER)[0], OMQ, 5, "notify", notification(OTHER), US_PER_S)) == []


def test_a_service_without_platform_gets_nothing() -> None:
    server = PushServer(RULES, SUITE, Entropy(bytes(32)), EPOCH_MS)
    made = PushMachine(server, cast("ServerBehindOnion", Front(server)), RULES, NODES, {})
    subscribe(made, OWNER, 0)
    assert list(made.receive(members(OWNER)[0], OMQ, 5, "notify", notification(OWNER), US_PER_S)) == []


def test_nobody_but_a_node_announces() -> None:
    made = machine()
    subscribe(made, OWNER, 0)
    for src, conn in ((50, OMQ), (-1, OMQ)):
        assert list(made.receive(src, conn, 5, "notify", notification(OWNER), 0)) == []
    for head in (200, "monitor"):
        assert list(made.receive(members(OWNER)[0], OMQ, 5, head, notification(OWNER), 0)) == []


def test_a_node_that_cannot_be_reached_is_asked_for_everything_again_later() -> None:
    made = machine(replace(RULES, reconnect_us=20 * US_PER_S))
    subscribe(made, OWNER, 0)
    lost = members(OWNER)[1]
    effects = made.failed(lost, OMQ, 1 << 40, "unreachable", US_PER_S)
    assert made.failed(lost, OMQ, 1 << 40, "unreachable", 2 * US_PER_S) == ()
    assert alarm(effects) == 21 * US_PER_S
    again = made.wake(21 * US_PER_S)
    assert asked(again) == [lost]
    # Still away: it is tried again after as long.
    assert alarm(made.failed(lost, OMQ, 1 << 40, "unreachable", 22 * US_PER_S)) == 42 * US_PER_S
    assert made.failed(90, HTTPS, 2 << 40, "unreachable", 22 * US_PER_S) == ()


def test_a_lost_node_takes_new_accounts_when_it_is_back() -> None:
    made = machine()
    lost = members(OWNER)[0]
    subscribe(made, OWNER, 0)
    made.failed(lost, OMQ, 1 << 40, "unreachable", US_PER_S)
    effects = subscribe(made, OWNER, 2 * US_PER_S, "u" * 64)
    assert asked(effects) == [node for node in members(OWNER) if node != lost]
    assert asked(made.wake(11 * US_PER_S)) == [lost]


def test_when_swarms_change_the_new_members_are_asked_and_the_old_ones_no_more() -> None:
    made = machine()
    subscribe(made, OWNER, 0)
    before = members(OWNER)
    swarms = list(NODES.swarm)
    moved, comes = before[0], next(node for node in range(5) if node not in before)
    swarms[moved], swarms[comes] = swarms[comes], swarms[moved]
    nodes = node_list(tuple(swarms))
    effects = made.command(("swarms", nodes, 1), US_PER_S)
    assert asked(effects) == [comes]
    assert made.server.renewals.accounts(moved) == ()
    assert set(members(OWNER, nodes)) == {*before, comes} - {moved}
    assert made.command(("poll",), US_PER_S) == ()


def test_the_end_of_a_subscription_is_taken_note_of() -> None:
    made = machine()
    subscribe(made, OWNER, 0)
    node = members(OWNER)[0]
    refused = monitor.MonitorRefused(monitor.MonitorError.WRONG_SWARM, "gone")
    assert made.receive(node, OMQ, 1, "monitor_ended", monitor.write_ended(OWNER.id, refused), 5) == ()
    assert made.server.renewals.accounts(node) == ()
    assert made.receive(node, OMQ, 1, "monitor_ended", b"?", 5) == ()


def test_many_accounts_do_not_make_more_alarms() -> None:
    made = machine()
    for k in range(30):
        subscribe(made, account_from_seed(bytes(14) + b"\7" + bytes([k])), k * US_PER_S)
    assert len(made._due) <= 2 * 30 * len(NODES)
    for _ in range(200):
        now_us = made._due[0][0]
        made._armed_us = None
        made.wake(now_us)
    assert len(made._due) <= 2 * 30 * len(NODES)


@given(st.binary(max_size=300), st.sampled_from(["notify", "monitor_ended", "monitor", "x", 200]))
def test_hostile_bytes_of_a_node_get_silence(payload: bytes, head: str | int) -> None:
    assert list(machine().receive(0, OMQ, 1, head, payload, 0)) == []
