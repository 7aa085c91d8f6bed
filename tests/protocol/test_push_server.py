"""The push server: subscriptions, what it asks of nodes, what it pushes to whom, and hostile requests."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.push.authority import Authority
from sessionsim.protocol.push.notifiers import Push
from sessionsim.protocol.push.payload import read_push
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.server import PushServer
from sessionsim.protocol.push.subscription import (
    IOS_NAMESPACES,
    Device,
    sign_subscription,
    subscribe_request,
    unsubscribe_request,
)
from sessionsim.protocol.server_request import ServerRequest
from sessionsim.protocol.wire.monitor import MonitorCall, Notification, read_calls, write_notification

EPOCH_MS = 1_777_000_000_000
NOW_S = EPOCH_MS // 1000
SUITE = suite_named("fast")
ALICE, BOB = (account_from_seed(bytes([n]) * 16) for n in (1, 2))
PHONE, TABLET = Device("apns", "ab" * 32), Device("firebase", "t" * 140)
KEYS = {PHONE: bytes([1]) * 32, TABLET: bytes([2]) * 32}
NODE = 7


def server(
    services: tuple[str, ...] = ("apns", "apns-sandbox", "firebase", "huawei"), **rules: Any
) -> PushServer:
    return PushServer(PushRules(**rules), SUITE, Entropy(bytes(32)), EPOCH_MS, services)


def subscription_of(
    who: Account, spaces: tuple[int, ...] = (0,), at_s: int = 0, want_data: bool = True
) -> Any:
    owner = Authority(who.id, who.ed.public)
    return sign_subscription(
        owner, lambda t: SUITE.sign(who.ed, t), spaces, NOW_S + at_s, want_data=want_data
    )


def subscribe(one: PushServer, who: Account, device: Device, now_us: int = 0, **how: Any) -> dict[str, Any]:
    request = subscribe_request(
        [(subscription_of(who, at_s=now_us // US_PER_S, **how), device, KEYS.get(device, bytes(32)))],
        as_list=False,
    )
    answer = one.handle(request, now_us)
    assert answer.status == 200
    reply: dict[str, Any] = json.loads(answer.body)
    return reply


def unsubscribe(one: PushServer, who: Account, device: Device, now_us: int = 0) -> dict[str, Any]:
    owner, at_s = Authority(who.id, who.ed.public), NOW_S + now_us // US_PER_S
    request = unsubscribe_request([(owner, device)], lambda t: SUITE.sign(who.ed, t), at_s, as_list=False)
    reply: dict[str, Any] = json.loads(one.handle(request, now_us).body)
    return reply


def announcement(who: Account, number: int = 0, namespace: int = 0, data: bytes | None = b"body") -> bytes:
    name = base64.b64encode(hashlib.sha256(b"%d" % number).digest()).decode().rstrip("=")
    return write_notification(Notification(who.id, name, namespace, EPOCH_MS, EPOCH_MS + 5, data))


def test_replies_are_those_of_the_server() -> None:
    one = server()
    assert subscribe(one, ALICE, PHONE) == {
        "success": True,
        "added": True,
        "message": "Subscription successful",
    }
    assert subscribe(one, ALICE, PHONE)["updated"] is True
    assert subscribe(one, ALICE, TABLET)["added"] is True
    assert unsubscribe(one, ALICE, PHONE)["removed"] is True
    assert unsubscribe(one, ALICE, PHONE)["removed"] is False
    answer = one.handle(subscribe_request([(subscription_of(BOB), PHONE, bytes(32))], as_list=False), 0)
    assert answer.body == b'{"added":true,"message":"Subscription successful","success":true}'
    assert answer.headers == {"content-type": "application/json"}


def test_a_list_gets_a_list_with_each_error_in_its_place() -> None:
    one = server(services=("apns",))
    entries = [(subscription_of(ALICE), device, bytes(32)) for device in (PHONE, TABLET)]
    parts = [*json.loads(subscribe_request(entries).body), 5, {}]
    answer = one.handle(ServerRequest("POST", "/subscribe", {}, json.dumps(parts).encode()), 0)
    replies = json.loads(answer.body)
    assert [reply.get("error") for reply in replies] == [None, 2, 4, 4]
    assert len(one.devices[ALICE.id]) == 1


@pytest.mark.parametrize(
    "body", [b"", b"x", b"5", b'"x"', b"null", b"[" * 5000, b'{"pubkey":"' + b"x" * 100_000 + b'"}']
)
def test_what_is_no_request_has_code_one(body: bytes) -> None:
    for endpoint in ("/subscribe", "/unsubscribe"):
        answer = server().handle(ServerRequest("POST", endpoint, {}, body), 0)
        assert (answer.status, json.loads(answer.body)["error"]) == (200, 1)


def test_other_endpoints_and_methods_are_errors() -> None:
    assert server().handle(ServerRequest("POST", "/notify", {}), 0).status == 404
    assert server().handle(ServerRequest("GET", "/subscribe", {}), 0).status == 405


def test_nodes_are_asked_for_each_account_with_what_its_owner_signed() -> None:
    one = server()
    subscribe(one, ALICE, PHONE, spaces=IOS_NAMESPACES)
    subscribe(one, BOB, TABLET)
    assert one.take_fresh() == (ALICE.id, BOB.id)
    assert one.take_fresh() == ()
    for account in (ALICE.id, BOB.id):
        one.renewals.add(NODE, account)
    request = one.calls(NODE, 0)
    assert request is not None
    expected = [subscription_of(who, spaces).call() for who, spaces in ((ALICE, IOS_NAMESPACES), (BOB, (0,)))]
    assert read_calls(request) == (expected, True)
    assert one.calls(NODE, 45 * US_PER_MIN - 1) is None
    renewed = []
    for minute in range(45, 57):
        while (request := one.calls(NODE, minute * US_PER_MIN)) is not None:
            renewed += read_calls(request)[0]
    assert sorted(renewed) == sorted(expected)  # type: ignore[type-var]


def test_devices_that_ask_for_the_same_are_one_subscription_with_the_newer_signature() -> None:
    one = server()
    subscribe(one, ALICE, PHONE)
    subscribe(one, ALICE, TABLET, 5 * US_PER_S)
    subscribe(one, ALICE, Device("huawei", "h" * 40), spaces=(0, 2))
    assert [(sub.namespaces, sub.signed_s) for sub in one.monitored[ALICE.id]] == [
        ((0,), NOW_S + 5),
        ((0, 2), NOW_S),
    ]
    # An older signature does not replace a newer one at the nodes.
    one.handle(subscribe_request([(subscription_of(ALICE), PHONE, bytes(32))]), 6 * US_PER_S)
    assert one.monitored[ALICE.id][0].signed_s == NOW_S + 5


def test_large_requests_to_a_node_are_split() -> None:
    one = server()
    people = [account_from_seed(n.to_bytes(16, "big")) for n in range(40)]
    for person in people:
        subscribe(one, person, PHONE)
        one.renewals.add(NODE, person.id)
    requests = []
    while (request := one.calls(NODE, 0)) is not None:
        requests.append(request)
    single = len(requests[0]) // len(read_calls(requests[0])[0])
    assert all(2000 <= len(request) < 2000 + single + 10 for request in requests[:-1])
    found = [
        call.ed25519
        for request in requests
        for call in read_calls(request)[0]
        if isinstance(call, MonitorCall)
    ]
    assert found == [person.ed.public for person in people]


def opened(push: Push, device: Device) -> Any:
    assert (push.service, push.token) == (device.service, device.token)
    return read_push(json.loads(push.body)["enc_payload"], KEYS[device])


def test_each_message_goes_once_to_each_device_that_asked_for_its_namespace() -> None:
    one = server()
    subscribe(one, ALICE, PHONE, spaces=(0, 2))
    subscribe(one, ALICE, TABLET)
    pushes = [push for _node in range(7) for push in one.announced(announcement(ALICE), 0)]
    assert [(push.service, push.token) for push in pushes] == [(d.service, d.token) for d in (PHONE, TABLET)]
    for push, device in zip(pushes, (PHONE, TABLET), strict=True):
        pushed = opened(push, device)
        assert (pushed.account, pushed.namespace, pushed.data) == (ALICE.id, 0, b"body")
    assert [push.service for push in one.announced(announcement(ALICE, 1, namespace=2), 0)] == ["apns"]
    assert one.announced(announcement(ALICE, 2, namespace=3), 0) == ()
    assert one.announced(announcement(BOB), 0) == ()


def test_a_message_is_recognised_for_five_to_ten_minutes() -> None:
    one = server()
    subscribe(one, ALICE, PHONE)

    def pushed(number: int, minute: float) -> int:
        return len(one.announced(announcement(ALICE, number), int(minute * US_PER_MIN)))

    assert pushed(0, 0) == 1  # at the beginning of the first five minutes
    assert pushed(1, 4.9) == 1  # at their end
    assert (pushed(0, 4.99), pushed(1, 4.99)) == (0, 0)
    assert (pushed(0, 9.9), pushed(1, 9.9)) == (0, 0)  # the second five, which began with this
    assert (pushed(0, 14.8), pushed(1, 14.8)) == (0, 0)
    assert (pushed(0, 14.9), pushed(1, 14.9)) == (1, 1)  # the third


def test_a_device_that_unsubscribed_gets_nothing_though_the_nodes_are_still_asked() -> None:
    one = server()
    subscribe(one, ALICE, PHONE)
    one.renewals.add(NODE, ALICE.id)
    unsubscribe(one, ALICE, PHONE, 5)
    assert one.announced(announcement(ALICE), 5) == ()
    assert one.devices == {}
    assert one.calls(NODE, 5) is not None


def test_subscriptions_end_with_their_signatures() -> None:
    one = server()
    subscribe(one, ALICE, PHONE)
    subscribe(one, ALICE, TABLET, 60 * US_PER_S, spaces=(0, 2))
    one.renewals.add(NODE, ALICE.id)
    end_us = 14 * US_PER_DAY
    assert one.calls(NODE, end_us - 1) is not None
    assert len(one.devices[ALICE.id]) == 2
    one.handle(ServerRequest("GET", "/", {}), end_us)
    assert list(one.devices[ALICE.id]) == [TABLET]
    one.handle(ServerRequest("GET", "/", {}), end_us + 60 * US_PER_S)
    assert one.devices == one.monitored == {}
    assert one.calls(NODE, end_us + 60 * US_PER_MIN) is None
    assert one.renewals.accounts(NODE) == ()


def test_bodies_go_only_to_those_who_want_them() -> None:
    one = server()
    subscribe(one, ALICE, PHONE, want_data=False)
    subscribe(one, ALICE, TABLET)
    without, with_body = one.announced(announcement(ALICE), 0)
    assert (opened(without, PHONE).data, opened(without, PHONE).size_bytes) == (None, None)
    assert opened(with_body, TABLET).data == b"body"
    assert len(without.body) < len(with_body.body) + 200


def test_the_server_sends_bodies_of_up_to_2500_bytes_along() -> None:
    one = server()
    subscribe(one, ALICE, PHONE)
    for number, length in enumerate((2500, 2501)):
        (push,) = one.announced(announcement(ALICE, number, data=bytes(length)), 0)
        pushed = opened(push, PHONE)
        assert (pushed.size_bytes, pushed.data is None, pushed.too_long) == (
            length,
            length > 2500,
            length > 2500,
        )


@pytest.mark.parametrize(
    ("rule", "as_dict"), [("all", {"apns", "firebase"}), ("apple", {"apns"}), ("none", set())]
)
def test_metadata_without_body_depend_on_the_servers_age(rule: str, as_dict: set[str]) -> None:
    one = server(dict_without_body=rule)
    subscribe(one, ALICE, PHONE)
    subscribe(one, ALICE, TABLET)
    found = set()
    for push, device in zip(
        one.announced(announcement(ALICE, data=bytes(2501)), 0), (PHONE, TABLET), strict=True
    ):
        assert opened(push, device).too_long
        try:
            read_push(json.loads(push.body)["enc_payload"], KEYS[device], accepts_dict=False)
        except RemoteProtocolError:
            found.add(push.service)
    assert found == as_dict


def test_what_each_service_gets() -> None:
    one = server()
    devices = [PHONE, Device("apns-sandbox", "cd" * 32), TABLET, Device("huawei", "h" * 40)]
    for device in devices:
        subscribe(one, ALICE, device)
    bodies = {push.service: json.loads(push.body) for push in one.announced(announcement(ALICE), 0)}
    assert {service: body["spns"] for service, body in bodies.items()} == {
        "apns": 1,
        "apns-sandbox": 1,
        "firebase": "1",
        "huawei": "1",
    }
    assert list(bodies["firebase"]) == list(bodies["huawei"]) == ["enc_payload", "spns"]
    assert bodies["apns"]["aps"]["mutable-content"] == 1
    assert {len(body["enc_payload"]) for body in bodies.values()} == {-(-(40 + 256) // 3) * 4}


def test_the_size_classes_that_services_see_are_a_rule_of_the_server() -> None:
    for padding_bytes in (1, 256, 1000):
        one = server(padding_bytes=padding_bytes)
        subscribe(one, ALICE, PHONE)
        (push,) = one.announced(announcement(ALICE), 0)
        sealed = base64.b64decode(json.loads(push.body)["enc_payload"])
        assert (len(sealed) - 40) % padding_bytes == 0
        assert (len(sealed) == 40 + padding_bytes) is (padding_bytes > 1)


def test_no_nonce_is_used_twice_and_the_seed_decides() -> None:
    def payloads() -> list[bytes]:
        one = server()
        subscribe(one, ALICE, PHONE)
        subscribe(one, ALICE, TABLET)
        pushes = [push for n in range(5) for push in one.announced(announcement(ALICE, n), 0)]
        return [base64.b64decode(json.loads(push.body)["enc_payload"]) for push in pushes]

    first = payloads()
    assert len({payload[:24] for payload in first}) == 10
    assert payloads() == first


@pytest.mark.parametrize("payload", [b"", b"de", b"le", b"x", announcement(ALICE)[:-1]])
def test_malformed_announcements_are_refused(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        server().announced(payload, 0)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    st.sampled_from(["/subscribe", "/unsubscribe"]),
    st.binary(max_size=40) | st.text(max_size=40).map(str.encode),
)
def test_any_body_gets_an_answer(endpoint: str, body: bytes) -> None:
    answer = server().handle(ServerRequest("POST", endpoint, {}, body), 0)
    assert (answer.status, type(json.loads(answer.body))) in {(200, dict), (200, list)}
