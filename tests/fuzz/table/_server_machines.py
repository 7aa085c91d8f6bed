"""Machines of servers: what anybody posts to them, and what a client reads of a seed's answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sessionsim.core.columns import Transport
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.files.server import FileServer
from sessionsim.protocol.files.server_rules import FileServerRules
from sessionsim.protocol.lsrpc import OnionEndpoint
from sessionsim.protocol.servers import web
from sessionsim.protocol.servers.behind_onion import ServerBehindOnion
from sessionsim.protocol.servers.seed import HEAD, SeedNode
from sessionsim.protocol.servers.turn import ALLOCATE, MEDIA, TurnServer, write_relayed
from sessionsim.protocol.wire import onion, seed_json
from sessionsim.protocol.wire.frame import encode_frame
from sessionsim.protocol.wire.onion_server import ServerAddress, server_route
from tests.fuzz.decoder import Decoder, machine
from tests.fuzz.held import held
from tests.fuzz.table._keys import FAST, SODIUM, noise, x_pair
from tests.fuzz.table._node import EPOCH_MS, NODES, NOW_US
from tests.fuzz.table._onion_server import V3, V4

_HTTPS, _UDP = int(Transport.HTTPS), int(Transport.UDP)
_VERSION = (2, 11, 3)
_ASKED = (seed_json.nodes_request(), seed_json.nodes_request(limit=2), b'{"id":1,"method":"get_info"}')
_TOLD = tuple(seed_json.nodes_answer(asked, NODES, _VERSION) for asked in _ASKED[:2])


def _seed() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    seed = SeedNode(NODES, _VERSION)
    return lambda raw: seed.receive(9, _HTTPS, 1, HEAD, raw, NOW_US), lambda: held(seed)


def _file_server(suite: Suite, head: str) -> tuple[Callable[[bytes], object], Callable[[], int]]:
    entropy = Entropy(noise("files", 32))
    rules = FileServerRules(max_bytes=2_000, lifetime_us=1, longest_lifetime_us=1)
    handle = FileServer(rules, suite, entropy, EPOCH_MS).handle
    server = ServerBehindOnion(OnionEndpoint(suite, x_pair("server"), entropy, handle))
    return lambda raw: server.receive(9, _HTTPS, 1, head, raw, NOW_US), lambda: held(server)


def _turn() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    server = TurnServer(100)
    server.receive(9, _UDP, 1, ALLOCATE, b"", NOW_US)
    return lambda raw: list(server.receive(9, _UDP, 1, MEDIA, raw, NOW_US)), lambda: held(server)


def _posts(payloads: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Write what a last hop posts for a client of each family."""
    server = x_pair("server")
    frames = []
    for style in onion.STYLES.values():
        public, layer = SODIUM.layer_to(style.layer, noise("e", 32), server.public)
        route = server_route(style, ServerAddress("a.b", server.public), public)
        frames += [encode_frame(layer.seal(payload, noise("n", 24)), route) for payload in payloads]
    return tuple(frames)


DECODERS = (
    machine("servers.seed.SeedNode.receive", "json", _seed, _ASKED, 20_000, base=20_000),
    *(
        machine(
            f"servers.behind_onion.ServerBehindOnion.receive/{head}",
            "frame",
            partial(_file_server, SODIUM, head),
            _posts(payloads),
            20_000,
        )
        for head, payloads in (("lsrpc/v4", V4), ("lsrpc/v3", V3))
    ),
    machine(
        "servers.behind_onion.ServerBehindOnion.receive/fast",
        "frame",
        partial(_file_server, FAST, "lsrpc/v4"),
        (),
        20_000,
    ),
    machine(
        "servers.web.WebSite.receive",
        "text",
        lambda: (lambda raw: web.WebSite(50).receive(9, _HTTPS, 1, web.HEAD, raw, NOW_US), lambda: 0),
        (b"/page/a", b"/picture/4"),
        1_000,
        base=20_000_000,
    ),
    machine("servers.turn.TurnServer.receive", "raw", _turn, (write_relayed(5, b"voice"),), 1_000),
    Decoder(
        "wire.seed_json.nodes_answer",
        "json",
        lambda raw: seed_json.nodes_answer(raw, NODES, _VERSION),
        _ASKED,
        errors=(),
        base=20_000,
        share=2,
    ),
    Decoder("wire.seed_json.read_nodes", "json", seed_json.read_nodes, _TOLD, share=2),
)
