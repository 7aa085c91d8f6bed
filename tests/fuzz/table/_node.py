"""The service node: whatever arrives at any endpoint, over any transport, from anybody.

The first bytes of an input say where it arrives: which endpoint, over which transport, from whom.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from sessionsim.core.columns import HEADS, Transport
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_DAY
from sessionsim.protocol.crypto import real
from sessionsim.protocol.defences._holding import HoldingNode
from sessionsim.protocol.machine import LATER, SEND, WAKE_AT, Effects
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.push.authority import Authority
from sessionsim.protocol.push.subscription import (
    sign_subscription,
)
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.wire import onion, rpc
from sessionsim.protocol.wire.frame import encode_frame
from sessionsim.protocol.wire.monitor import write_call
from sessionsim.protocol.wire.onion_server import ServerAddress, build_server_request
from sessionsim.protocol.wire.rpc_node import write_forward
from sessionsim.protocol.wire.rpc_params import read_call
from sessionsim.protocol.wire.sn_data import write_ready
from tests.fuzz.decoder import machine
from tests.fuzz.held import held
from tests.fuzz.table._keys import FAST, NOW_MS, SODIUM, noise, x_pair
from tests.fuzz.table._methods import BATCHES, DIRECT
from tests.fuzz.table._methods import FORWARDS as METHOD_FORWARDS
from tests.fuzz.table._methods import calls as method_calls
from tests.fuzz.table._rpc import (
    BATCH_MAX,
    BODIES,
    FORWARDS,
    MEMBER_ANSWERS,
    MESSAGE_MAX,
    SUBSCRIPTIONS,
    bodies,
    signed_stores,
)

EPOCH_MS = NOW_MS - 1_000
NOW_US = 1_000_000
CLIENT, SERVER = 1_000, 20  # endpoints that are no nodes
HTTPS, QUIC, OMQ = int(Transport.HTTPS), int(Transport.QUIC), int(Transport.OMQ)
_HEADS: tuple[str | int, ...] = (*HEADS, "", "storage.store", 200, 400, 599, 600, -1, 1 << 40)
_CONNS = (HTTPS, QUIC, OMQ, 3, 7, 8 + HTTPS, 8 + OMQ)
_SOURCES = (0, 1, 2, 11, 12, CLIENT, SERVER, -1, 1 << 40)


def _nodes(swarms: tuple[int, ...]) -> NodeList:
    eds = [real.ed25519_keypair(noise(f"ed {k}", 32)) for k in range(12)]
    return NodeList(
        tuple(pair.public for pair in eds),
        tuple(real.x25519_of_ed25519(pair).public for pair in eds),
        swarms,
        tuple(0xF4000001 + 65536 * k for k in range(12)),
        tuple(22021 if k % 2 else 22103 for k in range(12)),
    )


NODES = _nodes((0,) * 7 + (1 << 63,) * 5)
OTHER_NODES = _nodes((1 << 62,) * 4 + (0,) * 4 + (1 << 63,) * 3 + (0,))
EDS = [real.ed25519_keypair(noise(f"ed {k}", 32)) for k in range(12)]
XS = [real.x25519_of_ed25519(pair) for pair in EDS]
HOPS = tuple(onion.Hop(ed.public.hex().encode(), x.public) for ed, x in zip(EDS, XS, strict=True))
# What a node keeps is bounded by these, so they are small here.
_LIMITS = NodeRules(
    relays_max=40,
    disk_max_bytes=20_000,
    request_max_bytes=300_000,
    signature_window_us=10 * US_PER_DAY,
    retry_kept_max=20,
    rate_clients_max=4,
)


def _account_of(swarm: int) -> Any:
    from sessionsim.protocol.identity import account_from_seed
    from sessionsim.protocol.swarms import nearest_swarm, swarm_position

    people = (account_from_seed(noise(f"person {k}", 16)) for k in range(100))
    return next(
        one for one in people if nearest_swarm(swarm_position(one.id[1:]), tuple(NODES.members)) == swarm
    )


PERSON = _account_of(0)
OURS, OURS_FAST = ((*bodies(PERSON, suite), *signed_stores(PERSON, suite)) for suite in (SODIUM, FAST))


def check_effects(effects: Effects, now_us: int) -> Effects:
    """Hold effects of a node against the contract of machines."""
    for effect in effects:
        if effect[0] == WAKE_AT:
            assert effect[1] > now_us
            continue
        if effect[0] == LATER:
            assert effect[1] >= now_us
            effect = effect[2]
        kind, dst, _conn, _number, what, body, _note = effect
        assert kind == SEND
        assert type(body) is bytes
        if type(what) is int:
            assert 100 <= what < 600
        else:
            assert what in HEADS
            # Requests go to nodes and the one server; news to whoever subscribed.
            assert (
                0 <= dst < 12 or (dst, what[:5]) == (SERVER, "lsrpc") or what in ("notify", "monitor_ended")
            )
    return effects


def _node(suite: Any, kind: type[ServiceNode] = ServiceNode) -> ServiceNode:
    servers = {"push.getsession.org": SERVER}
    return kind(0, EDS[0], XS[0], NODES, suite, Entropy(noise("entropy", 32)), _LIMITS, EPOCH_MS, servers)


class Arrivals:
    """A node at which anything arrives, ten times a second; it is woken when it wants to be.

    An answer comes from where a request went, unless the fourth byte says otherwise.
    """

    def __init__(self, node: ServiceNode) -> None:
        self.node = node
        self._exchanges = count(1)
        self._asked: list[tuple[int, int]] = []
        self._now_us, self._wake_us, self._turned = NOW_US, 1 << 60, False

    def __call__(self, raw: bytes) -> object:
        self._now_us += 100_000
        if self._now_us >= self._wake_us:
            self._wake_us = 1 << 60
            self._do(self.node.wake(self._now_us))
        head, conn, src = (
            _HEADS[_pick(raw, 0, _HEADS)],
            _CONNS[_pick(raw, 1, _CONNS)],
            _SOURCES[_pick(raw, 2, _SOURCES)],
        )
        exchange = next(self._exchanges)
        if exchange % 500 in (40, 60):
            self.turn()
        if type(head) is int and self._asked and raw[3:4] < b"\xc0":
            src, exchange = self._asked.pop(-1 - _pick(raw, 3, tuple(self._asked)))
        return self._do(self.node.receive(src, conn, exchange, head, raw[4:], self._now_us))

    def turn(self) -> None:
        """Let the swarms change: the node gets into another one, or back."""
        self._turned = not self._turned
        self._do(self.node.command(("swarms", OTHER_NODES if self._turned else NODES, 7), self._now_us))

    def _do(self, effects: Effects) -> Effects:
        check_effects(effects, self._now_us)
        for effect in effects:
            if effect[0] == WAKE_AT:
                self._wake_us = effect[1]
            elif effect[0] == SEND and type(effect[4]) is str:
                self._asked.append((effect[1], effect[3]))
        del self._asked[:-64]
        return effects


def _pick(raw: bytes, at: int, among: tuple[object, ...]) -> int:
    return (raw[at] if at < len(raw) else 0) % len(among)


def _arriving(head: str | int, conn: int, src: int, payload: bytes, asked: int = 0) -> bytes:
    """Write an input of `Arrivals`. Args: asked: which of the requests that wait an answer is for."""
    return bytes([_HEADS.index(head), _CONNS.index(conn), _SOURCES.index(src), asked]) + payload


def _onions(route: tuple[int, ...], body: bytes) -> list[bytes]:
    randoms = [noise(f"random {k}", 56) for k in range(len(route))]
    return [
        onion.build_request(FAST, style, [HOPS[k] for k in route], body, randoms)[0]
        for style in onion.STYLES.values()
    ]


def _hop(request: bytes) -> bytes:
    return onion.encode_hop(*onion.decode_client_request(request), 2)


_FORWARDED = tuple(
    write_forward(read_call(body, MESSAGE_MAX, BATCH_MAX)) for body in (OURS[0], *OURS[-2:], *OURS_FAST[-2:])
)  # type: ignore[arg-type]
_METHODS = tuple(rpc.request_body(rpc.DESKTOP, call) for call in method_calls(PERSON, FAST))
_WATCHED = write_call(
    sign_subscription(
        Authority(PERSON.id, PERSON.ed.public),
        lambda text: FAST.sign(PERSON.ed, text),
        (0, 2, 11),
        NOW_MS // 1000,
    ).call()
)


def _post_to_server() -> list[bytes]:
    address = ServerAddress("push.getsession.org", x_pair("server").public)
    randoms = [noise(f"random {k}", 56) for k in range(2)]
    return [
        build_server_request(FAST, style, HOPS[:1], address, b"payload", randoms)[0]
        for style in onion.STYLES.values()
    ]


_REQUESTS = [*_onions((0,), OURS[0]), *_onions((0, 1, 2), OURS[2]), *_post_to_server()]
_ARRIVALS = (
    *(_arriving("onion_req", conn, CLIENT, request) for request in _REQUESTS for conn in (HTTPS, QUIC)),
    *(_arriving("sn.onion_request", OMQ, 1, _hop(request)) for request in _REQUESTS),
    *(_arriving("storage_rpc", HTTPS, CLIENT, body) for body in (*OURS, *OURS_FAST, BODIES[0])),
    *(_arriving("sn.storage_cc", OMQ, 2, forward) for forward in (*FORWARDS, *_FORWARDED, *METHOD_FORWARDS)),
    *(_arriving("storage_rpc", HTTPS, CLIENT, body) for body in _METHODS),
    *(_arriving("storage_rpc", conn, CLIENT, body) for conn in (OMQ, QUIC) for body in DIRECT[:40:2]),
    *(_arriving("sn.data", OMQ, 1, batch) for batch in BATCHES),
    *(_arriving("sn.data_ready", OMQ, 1, write_ready(needs)) for needs in (True, False)),
    *(
        _arriving("monitor", conn, CLIENT, asked)
        for conn in (OMQ, QUIC)
        for asked in (*SUBSCRIPTIONS, _WATCHED)
    ),
    *(
        _arriving(head, conn, 1, b"")
        for head in ("sn.ping", "snode_ping", "ping_test")
        for conn in (HTTPS, QUIC, OMQ)
    ),
    *(_arriving(200, OMQ, 1, answer, asked) for answer in MEMBER_ANSWERS for asked in (0, 1, 5)),
    *(_arriving(status, OMQ, 1, b"answer", asked) for status in (200, 400, 599, 600) for asked in (0, 2)),
    *(_arriving(status, HTTPS, SERVER, b"answer", asked) for status in (200, 600) for asked in (0, 1)),
)
_INNER = (
    encode_frame(OURS_FAST[0], b'{"headers":""}'),
    encode_frame(OURS_FAST[2], b'{"body":null,"headers":{},"json":true,"base64":false}'),
    encode_frame(b"", b'{"host":"push.getsession.org","target":"/oxen/v4/lsrpc"}'),
    encode_frame(b"x", b'{"destination":"%b","ephemeral_key":"%b"}' % (HOPS[1].ed25519_hex, b"ab" * 32)),
)


def _arrivals(suite: Any) -> tuple[Callable[[bytes], object], Callable[[], int]]:
    arrivals = Arrivals(_node(suite))
    return arrivals, lambda: held(arrivals.node)


def _arrivals_held(suite: Any) -> tuple[Callable[[bytes], object], Callable[[], int]]:
    """Let anything arrive at a node that holds its answers."""
    node = _node(suite, HoldingNode)
    assert isinstance(node, HoldingNode)
    node.hold(2_000_000, 500_000)
    return Arrivals(node), lambda: held(node)


def _inside(suite: Any, layer_type: type[onion.Layer]) -> tuple[Callable[[bytes], object], Callable[[], int]]:
    """Seal any plaintext for the node; answers must open and be what a client reads."""
    node = _node(suite)
    public, layer = suite.layer_to(layer_type, noise("ephemeral", 32), XS[0].public)
    cipher = "aes-gcm" if layer_type is onion.GcmLayer else "xchacha20"
    control = b'{"enc_type":"%b","ephemeral_key":"%b"}' % (cipher.encode(), public.hex().encode())

    def run(plain: bytes) -> object:
        payload = encode_frame(layer.seal(plain, noise("nonce", 24)), control)
        effects = node.receive(CLIENT, HTTPS, 1, "onion_req", payload, NOW_US)
        check_effects(effects, NOW_US)
        for effect in effects:
            if effect[0] == SEND and effect[4] == 200:
                for as_base64 in (True, False):
                    try:
                        return onion.open_answer(layer, effect[5], as_base64=as_base64)
                    except RemoteProtocolError:
                        continue
                raise AssertionError("an answer that its client cannot open")
        return effects

    return run, lambda: held(node)


def _bodies_inside(suite: Any) -> tuple[Callable[[bytes], object], Callable[[], int]]:
    run, holds = _inside(suite, onion.GcmLayer)
    return lambda raw: run(encode_frame(raw, b'{"headers":{}}')), holds


_NODE = "snode._machine.ServiceNode.receive"
DECODERS = (
    machine(
        "defences._holding.HoldingNode.receive",
        "raw",
        partial(_arrivals_held, FAST),
        _ARRIVALS,
        150_000,
        share=2,
        base=100_000,
    ),
    *(
        machine(
            f"{_NODE}/{suite.name}",
            "raw",
            partial(_arrivals, suite),
            _ARRIVALS,
            150_000,
            share=share,
            base=100_000,
        )
        for suite, share in ((FAST, 4), (SODIUM, 1))
    ),
    *(
        machine(
            f"{_NODE}/inside {layer.__name__}",
            "frame",
            partial(_inside, FAST, layer),
            _INNER,
            150_000,
            share=2,
            base=100_000,
        )
        for layer in (onion.GcmLayer, onion.XchachaLayer)
    ),
    *(
        machine(
            f"{_NODE}/bodies {suite.name}",
            "json",
            partial(_bodies_inside, suite),
            ours,
            150_000,
            share=share,
            base=100_000,
        )
        for suite, ours, share in ((FAST, OURS_FAST, 3), (SODIUM, OURS, 1))
    ),
)
