"""Push: what a platform is posted, what nodes tell the push server's machine, what a device is pushed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from sessionsim.core.columns import Transport
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.push import PLATFORMS, PushListener
from sessionsim.protocol.client.rules import IOS
from sessionsim.protocol.lsrpc import OnionEndpoint
from sessionsim.protocol.machine import BACK
from sessionsim.protocol.push.notifiers import Push, make_push
from sessionsim.protocol.push.payload import seal_payload, write_list
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.server import PushServer
from sessionsim.protocol.servers.behind_onion import ServerBehindOnion
from sessionsim.protocol.servers.platform import REGISTER, PushPlatform, read_post, write_push
from sessionsim.protocol.servers.push import PushMachine
from sessionsim.protocol.wire import monitor
from sessionsim.protocol.wire.onion_server import ServerAddress
from tests.fuzz.decoder import Decoder, machine
from tests.fuzz.held import held
from tests.fuzz.table._keys import NOW_MS, OWN, SODIUM, noise, x_pair
from tests.fuzz.table._node import EPOCH_MS, NODES, NOW_US

_HTTPS, _OMQ, _TLS = int(Transport.HTTPS), int(Transport.OMQ), int(Transport.TLS)
_TOKEN = "t" * 64
_POSTED = write_push(Push("apns", _TOKEN, b"{}"))
_TOLD = monitor.Notification(OWN.id, "h" * 43, 0, NOW_MS, NOW_MS, b"sealed")
_ENDED = monitor.write_ended(OWN.id, monitor.MonitorRefused(monitor.MonitorError.WRONG_SWARM, "gone"))


def _platform(head: str) -> tuple[Callable[[bytes], object], Callable[[], int]]:
    platform = PushPlatform(3)
    platform.receive(9, _TLS, 1, REGISTER, _TOKEN.encode(), NOW_US)
    conn = _TLS if head == REGISTER else _HTTPS

    def run(raw: bytes) -> object:
        if head == REGISTER:
            platform.devices.clear()  # one for each device of the world, not for each message
        return list(platform.receive(9, conn, 1, head, raw, NOW_US))

    return run, lambda: held(platform)


def _push_machine(head: str) -> tuple[Callable[[bytes], object], Callable[[], int]]:
    entropy = Entropy(noise("pushes", 32))
    server = PushServer(PushRules(), SODIUM, entropy, EPOCH_MS)
    front = ServerBehindOnion(OnionEndpoint(SODIUM, x_pair("server"), entropy, server.handle))
    made = PushMachine(server, front, PushRules(), NODES, {"apns": 90})
    conn = _HTTPS if head == "lsrpc/v4" else _OMQ
    return lambda raw: list(made.receive(0, conn, 1, head, raw, NOW_US)), lambda: held(made)


def _device() -> tuple[PushListener, Entropy]:
    entropy = Entropy(noise("device", 32))
    client = SimpleNamespace(
        account=OWN, suite=SODIUM, entropy=entropy, rules=IOS, listeners={}, do=lambda *_: [],
        takers={0: lambda message, now_us: []},
        presence=SimpleNamespace(awake=True, fast_mode=False, errands=[]),
    )  # fmt: skip
    server = ServerAddress("push.getsession.org", noise("x", 32))
    return PushListener(cast("Client", client), server, 90, PLATFORMS["ios"]), entropy


def _pushed() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    part, _ = _device()
    return lambda raw: part.receive(90, _TLS | BACK, 1, raw, NOW_US), lambda: held(part)


def _pushed_inside() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    """Push what somebody wrote who holds the device's key: the push server."""
    part, entropy = _device()
    key = entropy.draw(b"push key")[:32]

    def run(raw: bytes) -> object:
        body = make_push("apns", _TOKEN, seal_payload(raw, key, noise("n", 24))).body
        return part.receive(90, _TLS | BACK, 1, body, NOW_US)

    return run, lambda: held(part)


_KEY: Any = _device()[1].draw(b"push key")[:32]
_LISTED = write_list(_TOLD)
_PUSH = make_push("apns", _TOKEN, seal_payload(_LISTED, _KEY, noise("n", 24))).body

DECODERS = (
    machine(
        "servers.platform.PushPlatform.receive/push", "raw", partial(_platform, "push"), (_POSTED,), 50_000
    ),
    machine(
        "servers.platform.PushPlatform.receive/register",
        "text",
        partial(_platform, REGISTER),
        (_TOKEN.encode(),),
        50_000,
    ),
    Decoder("servers.platform.read_post", "raw", read_post, (_POSTED,), share=2),
    *(
        machine(f"servers.push.PushMachine.receive/{head}", form, partial(_push_machine, head), seeds, 50_000)
        for head, form, seeds in (
            ("notify", "bencode", (monitor.write_notification(_TOLD),)),
            ("monitor_ended", "bencode", (_ENDED,)),
            ("lsrpc/v4", "frame", ()),
        )
    ),
    machine("client.push.part.PushListener.receive", "json", _pushed, (_PUSH,), 50_000),
    machine("client.push.part.PushListener.receive/inside", "bencode", _pushed_inside, (_LISTED,), 50_000),
)
