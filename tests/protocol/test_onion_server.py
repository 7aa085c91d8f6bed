"""Onion requests for servers, from the client over three nodes to the server and back, with real frames."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import KeyPair, real, suite_named
from sessionsim.protocol.lsrpc import HEADS, OTHER_HEAD, OnionEndpoint
from sessionsim.protocol.machine import SEND
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire import v3, v4
from sessionsim.protocol.wire.frame import decode_frame, encode_frame
from sessionsim.protocol.wire.onion import (
    DESKTOP,
    LAYER_RANDOM_BYTES,
    LIBSESSION,
    LIBSESSION_GCM,
    TO_SERVER,
    Hop,
    Style,
    decode_client_request,
    decode_inner,
    open_request,
)
from sessionsim.protocol.wire.onion_answer import answer_layers, open_server_answer
from sessionsim.protocol.wire.onion_server import (
    V3_TARGET,
    ServerAddress,
    build_server_request,
    open_server_request,
    server_route,
)

MakeWorld = Callable[..., Any]
CLIENT, SERVER = 1000, 2000
HTTPS, QUIC = 0, 1
SECTIONS = json.loads((Path(__file__).parents[1] / "vectors" / "libsession.json").read_text("utf-8"))[
    "sections"
]
REAL = suite_named("sodium", memo=False)
STYLES = {"desktop": DESKTOP, "libsession": LIBSESSION, "libsession, gcm": LIBSESSION_GCM}
X = real.x25519_keypair(hashlib.sha256(b"a server").digest())
HOST = "rooms.example"
ROUTE = (7, 8, 9)


def randoms(count: int) -> list[bytes]:
    return [hashlib.blake2b(b"layer %d" % n).digest()[:LAYER_RANDOM_BYTES] for n in range(count)]


# ---- The frame ----


@pytest.mark.parametrize(
    "case",
    SECTIONS["onion_server_xchacha20"]["cases"] + SECTIONS["onion_server_aes_gcm"]["cases"],
    ids=lambda case: str(case["id"]),
)
def test_requests_of_the_client_library_come_out_byte_for_byte(case: dict[str, Any]) -> None:
    values, expected, where = case["input"], case["expected"], case["input"]["destination"]
    own = KeyPair(bytes.fromhex(where["x25519_pk"]), bytes.fromhex(where["x25519_sk"]))
    server = ServerAddress(where["host"], own.public, where["protocol"], where.get("port"), where["target"])
    style = LIBSESSION if values["enc_type"] == "xchacha20" else LIBSESSION_GCM
    draws = [bytes.fromhex(text) for text in case["randomness"]["draws"]]
    route = [Hop(hop["ed25519_pk"].encode(), bytes.fromhex(hop["x25519_pk"])) for hop in values["hops"]]
    joined = [secret + nonce for secret, nonce in zip(draws[::2], draws[1::2], strict=True)][::-1]
    payload = bytes.fromhex(values["payload"])
    request, _ = build_server_request(REAL, style, route, server, payload, joined)
    assert request.hex() == expected["request"]
    last = expected["layers"][-1]
    opened = open_server_request(REAL, own, bytes.fromhex(last["payload"]))
    assert (opened.payload.hex(), opened.ephemeral.hex()) == (
        expected["server_decrypted"]["payload"],
        expected["server_decrypted"]["remote_pk"],
    )


@pytest.mark.parametrize(
    ("style", "protocol", "port", "text"),
    [
        (DESKTOP, "https", None, '{"host":"h","target":"/oxen/v4/lsrpc","method":"POST",K}'),
        (DESKTOP, "https", 8443, '{"host":"h","target":"/oxen/v4/lsrpc","method":"POST",K}'),
        (
            DESKTOP,
            "http",
            None,
            '{"host":"h","target":"/oxen/v4/lsrpc","method":"POST","protocol":"http","port":80,K}',
        ),
        (
            DESKTOP,
            "http",
            8080,
            '{"host":"h","target":"/oxen/v4/lsrpc","method":"POST","protocol":"http","port":8080,K}',
        ),
        (
            LIBSESSION,
            "https",
            None,
            '{"enc_type":"xchacha20",K,"host":"h","method":"POST","port":443,"protocol":"https",'
            '"target":"/oxen/v4/lsrpc"}',
        ),
        (
            LIBSESSION,
            "http",
            None,
            '{"enc_type":"xchacha20",K,"host":"h","method":"POST","port":80,"protocol":"http",'
            '"target":"/oxen/v4/lsrpc"}',
        ),
    ],
)
def test_each_family_writes_the_address_its_own_way(
    style: Style, protocol: str, port: int | None, text: str
) -> None:
    key = bytes(range(32))
    written = server_route(style, ServerAddress("h", X.public, protocol, port), key).decode()
    assert written == text.replace("K", f'"ephemeral_key":"{key.hex()}"')
    fields = json.loads(written)
    assert list(fields) == (sorted(fields) if style is LIBSESSION else list(fields))


@pytest.mark.parametrize(("style", "extra"), [(DESKTOP, 28 + 4 + 28), (LIBSESSION, 40 + 4 + 40)], ids=str)
@pytest.mark.parametrize("size", [0, 1, 500, 70_000])
def test_sizes_follow_from_the_parts(style: Style, extra: int, size: int) -> None:
    server = ServerAddress(HOST, X.public)
    route = [Hop(b"ab" * 32, X.public)] * 3
    request, _ = build_server_request(REAL, style, route, server, bytes(size), randoms(4))
    outer = {"desktop": 84, "libsession": 107}[style.name]
    per_layer = {"desktop": 197, "libsession": 232}[style.name]
    # Sealed payload, framed with the address, sealed for the last hop; two more layers; the guard's frame.
    address = len(server_route(style, server, bytes(32)))
    assert len(request) == size + extra + address + 2 * per_layer + 4 + outer


@given(host=st.text(min_size=1, max_size=40), port=st.one_of(st.none(), st.integers(1, 65535)))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_any_host_name_survives_the_way_through_json(host: str, port: int | None) -> None:
    host = host.encode("utf-8", "replace").decode()
    for style in STYLES.values():
        server = ServerAddress(host, X.public, "http", port)
        inner: Any = decode_inner(encode_frame(b"x", server_route(style, server, bytes(32))))
        assert inner[0] == TO_SERVER
        assert inner[2:] == ("http", host, port or 80, "/oxen/v4/lsrpc")


def test_a_request_needs_one_random_string_per_layer() -> None:
    server, hop = ServerAddress(HOST, X.public), Hop(b"ab" * 32, X.public)
    for route, count in (([hop] * 3, 3), ([hop] * 3, 5), ([], 1)):
        with pytest.raises(LocalProtocolError):
            build_server_request(REAL, DESKTOP, route, server, b"", randoms(count))


@given(st.binary(max_size=120))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_hostile_posts_are_refused_with_the_documented_errors(raw: bytes) -> None:
    for posted in (raw, encode_frame(raw, b'{"ephemeral_key":"%b"}' % X.public.hex().encode())):
        with pytest.raises(RemoteProtocolError):
            open_server_request(REAL, X, posted)


def test_a_server_does_not_take_the_oldest_cipher() -> None:
    text = b'{"ephemeral_key":"%b","enc_type":"aes-cbc"}' % X.public.hex().encode()
    with pytest.raises(CannotOpen):
        open_server_request(REAL, X, encode_frame(bytes(48), text))


# ---- Client, three nodes, server ----


def serve(call: ServerRequest, now_us: int) -> ServerAnswer:
    if call.endpoint == "/gone":
        return ServerAnswer(404, {"content-type": "text/plain"}, b"no")
    told = {"method": call.method, "at": call.endpoint, "size": len(call.body), "t": now_us}
    return ServerAnswer(200, {"content-type": "application/json"}, json.dumps(told).encode())


class Chain:
    """A network of nodes that can post to one server, which may be silent."""

    def __init__(self, make_world: MakeWorld, suite: str = "sodium", **rules: Any) -> None:
        self.world = make_world(suite=suite, servers={HOST: SERVER}, **rules)
        self.endpoint = OnionEndpoint(self.world.suite, X, Entropy(b"server"), serve)
        self.posted: list[tuple[int, str, bytes]] = []
        self.silent = False

    def ask(self, server: ServerAddress, payload: bytes, style: Style = DESKTOP, conn: int = HTTPS) -> Any:
        """Ask through the route: outer status, its body, and the layers that open it."""
        world = self.world
        hops = [Hop(world.ed[i].public.hex().encode(), world.x[i].public) for i in ROUTE]
        request, layer = build_server_request(world.suite, style, hops, server, payload, randoms(4))
        world.answers.clear()
        world.put(ROUTE[0], conn, 77, "onion_req", request)
        while True:
            world.run(answers=1)
            src, exchange, head, posted, _t = world.answers[0]
            if type(head) is int:
                break
            world.answers.clear()
            self.posted.append((src, head, posted))
            if not self.silent:
                status, body = self.endpoint.post(head, posted, 5)
                world.put(src, HTTPS, exchange, status, body, src=SERVER)
        ((_src, exchange, status, body, _t),) = world.answers
        assert exchange == 77
        return status, body, answer_layers(world.suite, layer, randoms(4)[-1][:32], server.x25519)


ADDRESS = ServerAddress(HOST, X.public, "http")


@pytest.mark.parametrize("suite", ["fast", "sodium"])
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_request_reaches_the_server_and_its_answer_the_client(
    make_world: MakeWorld, suite: str, style: Style
) -> None:
    chain = Chain(make_world, suite)
    payload = v4.encode_request(style, ServerRequest("POST", "/room/r/message?x=1", {"X-A": "1"}, b"body"))
    status, body, layers = chain.ask(ADDRESS, payload, style)
    answer = open_server_answer(layers, body)
    assert (status, answer.status, answer.headers) == (200, 200, {"content-type": "application/json"})
    assert json.loads(answer.body) == {"method": "POST", "at": "/room/r/message?x=1", "size": 4, "t": 5}
    # The last hop posted its whole plaintext, and every link of the way back carried the same bytes.
    ((src, head, posted),) = chain.posted
    assert (src, head) == (9, "lsrpc/v4")
    assert json.loads(decode_frame(posted)[1])["host"] == HOST
    backs = [payload for _t, _src, _dst, back, payload, _note in chain.world.log if type(back) is int]
    assert backs == [body] * 3
    assert [machine.pending for machine in chain.world.machines] == [0] * 12


def test_errors_of_the_endpoint_come_back_sealed(make_world: MakeWorld) -> None:
    chain = Chain(make_world)
    for payload, code, body in (
        (v4.encode_request(DESKTOP, ServerRequest("GET", "/gone", {})), 404, b"no"),
        (b"nonsense", 400, b"Invalid v4 onion request"),
    ):
        status, sealed, layers = chain.ask(ADDRESS, payload)
        answer = open_server_answer(layers, sealed)
        assert (status, answer.status, answer.body) == (200, code, body)


def test_v3_answers_are_base64_and_lose_what_went_wrong(make_world: MakeWorld) -> None:
    chain = Chain(make_world)
    server = ADDRESS._replace(target=V3_TARGET)
    status, sealed, layers = chain.ask(server, v3.encode_request(ServerRequest("GET", "/x", {})))
    assert (status, v3.open_answer(layers[0], sealed)[0]) == (200, 200)
    status, sealed, layers = chain.ask(server, v3.encode_request(ServerRequest("GET", "/gone", {})))
    assert (status, v3.open_answer(layers[0], sealed)) == (200, (404, b""))
    assert [head for _src, head, _posted in chain.posted] == ["lsrpc/v3"] * 2


@pytest.mark.parametrize("conn", [HTTPS, QUIC])
@pytest.mark.parametrize(
    ("server", "status", "text"),
    [
        (ADDRESS._replace(x25519=real.x25519_keypair(bytes(32)).public), 400, b"Bad Request"),
        (ADDRESS._replace(target="/loki/v4/lsrpc"), 404, b"Not Found"),
        (ADDRESS._replace(host="nowhere.example"), 502, b"Could not resolve host: nowhere.example"),
    ],
)
def test_refusals_in_clear_travel_back_unchanged(
    make_world: MakeWorld, conn: int, server: ServerAddress, status: int, text: bytes
) -> None:
    got, body, _ = Chain(make_world).ask(server, b"", conn=conn)
    assert got == status
    assert body == text if conn == HTTPS else body.endswith(b"\n\n" + text)


@pytest.mark.parametrize(
    "change", [{"target": "/etc/lsrpc"}, {"protocol": "ftp"}, {"target": "/loki/x?/lsrpc"}]
)
def test_a_last_hop_posts_only_to_what_may_be_asked(make_world: MakeWorld, change: dict[str, str]) -> None:
    chain = Chain(make_world)
    world = chain.world
    control = server_route(LIBSESSION, ADDRESS._replace(**change), X.public)
    style = Style("desktop", DESKTOP.layer, control, DESKTOP.key_field)
    assert world.ask(ROUTE, b"x", style) == (200, 400, b"Invalid url")
    assert chain.posted == []


def test_names_of_hosts_have_no_case(make_world: MakeWorld) -> None:
    assert Chain(make_world).ask(ADDRESS._replace(host=HOST.upper()), b"")[0] == 200


def test_a_silent_server_is_given_up_after_25_seconds(make_world: MakeWorld) -> None:
    chain = Chain(make_world)
    chain.silent, start = True, chain.world.now_us
    status, body, _ = chain.ask(ADDRESS, b"")
    assert (status, body) == (504, b"Operation timed out after 25000 milliseconds with 0 bytes received")
    assert 25_000_000 < chain.world.now_us - start < 25_100_000
    assert chain.world.machines[9].pending == 0


def test_a_server_that_takes_no_connection_is_told_by_its_name(make_world: MakeWorld) -> None:
    chain = Chain(make_world)
    chain.world.unreachable = {SERVER}
    status, body, _ = chain.ask(ADDRESS, b"")
    assert (status, body) == (
        502,
        b"Failed to connect to rooms.example port 80 after 20 ms: Couldn't connect to server",
    )


def test_only_the_server_that_was_asked_can_answer_and_once(make_world: MakeWorld) -> None:
    chain = Chain(make_world)
    world, node = chain.world, chain.world.machines[9]
    hops = [Hop(world.ed[9].public.hex().encode(), world.x[9].public)]
    request, _ = build_server_request(world.suite, DESKTOP, hops, ADDRESS, b"", randoms(2))
    effects = node.receive(CLIENT, HTTPS, 5, "onion_req", request, 0)
    _kind, dst, conn, number, head, _payload, _note = effects[0]
    assert (dst, conn, head) == (SERVER, HTTPS, "lsrpc/v4")
    for src, wrong_conn, exchange in (
        (SERVER + 1, HTTPS, number),
        (SERVER, QUIC, number),
        (SERVER, 2, number),
        (SERVER, HTTPS, number + 1),
        (CLIENT, HTTPS, 5),
    ):
        assert node.receive(src, wrong_conn, exchange, 200, b"forged", 1) == ()
    assert node.failed(SERVER + 1, HTTPS, number, "unreachable", 1) == ()
    # The same request once more is a request of its own.
    again = node.receive(CLIENT, HTTPS, 6, "onion_req", request, 0)[0]
    assert again[3] != number
    assert node.receive(SERVER, HTTPS, number, 999, b"x", 1) == (
        (SEND, CLIENT, HTTPS, 5, 502, b"Invalid response from server", 0),
    )
    assert node.receive(SERVER, HTTPS, number, 200, b"again", 1) == ()
    assert node.pending == 1


def test_a_busy_last_hop_says_so(make_world: MakeWorld) -> None:
    chain = Chain(make_world, relays_max=1)
    world, node = chain.world, chain.world.machines[9]
    hops = [Hop(world.ed[9].public.hex().encode(), world.x[9].public)]
    request, _ = build_server_request(world.suite, DESKTOP, hops, ADDRESS, b"", randoms(2))
    node.receive(CLIENT, HTTPS, 5, "onion_req", request, 0)
    ((*_, status, text, _note),) = node.receive(CLIENT, HTTPS, 6, "onion_req", request, 0)
    assert (status, text) == (503, b"Server busy, try again later")


def test_an_endpoint_gives_a_replayed_frame_another_nonce_for_another_answer() -> None:
    counted = iter(range(10))
    endpoint = OnionEndpoint(
        REAL, X, Entropy(b"server"), lambda call, now: ServerAnswer(200, {}, b"%d" % next(counted))
    )
    request, _ = build_server_request(
        REAL,
        DESKTOP,
        [Hop(b"ab" * 32, X.public)],
        ADDRESS,
        v4.encode_request(DESKTOP, ServerRequest("GET", "/", {})),
        randoms(2),
    )
    ciphertext, ephemeral, enc_type = decode_client_request(request)
    posted = open_request(REAL, X, ephemeral, enc_type, ciphertext)[1]
    first, second = (endpoint.post("lsrpc/v4", posted, 0)[1] for _ in range(2))
    assert first[:12] != second[:12]
    assert endpoint.post(OTHER_HEAD, posted, 0) == (404, b"Not Found")
    assert set(HEADS.values()) == {"lsrpc/v3", "lsrpc/v4"}
