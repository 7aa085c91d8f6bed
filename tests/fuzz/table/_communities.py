"""Communities: signed requests at the server, posts; through an onion and without one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.communities import CommunityRules, CommunityServer, auth, calls
from sessionsim.protocol.communities.posts import sign_post
from sessionsim.protocol.crypto import Suite, real
from sessionsim.protocol.identity import Account
from sessionsim.protocol.lsrpc import HEADS, OnionEndpoint
from sessionsim.protocol.server_request import ServerRequest
from sessionsim.protocol.wire import onion, v4
from sessionsim.protocol.wire.frame import encode_frame
from sessionsim.protocol.wire.onion_server import ServerAddress, server_route
from tests.fuzz.decoder import Decoder, machine
from tests.fuzz.held import held
from tests.fuzz.table._keys import FAST, FRIEND, NOW_MS, NOW_S, OWN, SODIUM, noise
from tests.fuzz.table._requests import check_answer, lines_of, request_of

_SERVER = real.x25519_keypair(noise("community", 32))
SERVER_X = _SERVER.public
ROOM = "lobby"
EPOCH_MS = NOW_MS - 1_000
_RULES = CommunityRules(posts_per_interval=0, clock_window_us=10**15, file_max_bytes=500)
_POST = sign_post(OWN, SERVER_X, b"content")


def _id(account: Account) -> str:
    from sessionsim.protocol.blinding import PREFIX_15, blind15_key

    return (PREFIX_15 + blind15_key(account, SERVER_X).public).hex()


OWN_ID, FRIEND_ID = _id(OWN), _id(FRIEND)
_PARTS = (
    calls.capabilities(),
    calls.rooms(),
    calls.room(ROOM),
    calls.poll_info(ROOM, 0),
    calls.messages_recent(ROOM),
    calls.messages_since(ROOM, 1),
    calls.messages_before(ROOM, 5),
    calls.post_message(ROOM, _POST, files=[1]),
    calls.post_message(ROOM, _POST, whisper_to=FRIEND_ID, whisper_mods=True),
    calls.edit_message(ROOM, 1, sign_post(OWN, SERVER_X, b"other")),
    calls.react(ROOM, 1, "+"),
    calls.react(ROOM, 1, "+", add=False),
    calls.clear_reactions(ROOM, 1),
    calls.delete_message(ROOM, 2),
    calls.inbox(),
    calls.outbox(3),
    calls.send_direct(FRIEND_ID, bytes(90)),
    calls.ban(FRIEND_ID, [ROOM]),
    calls.ban(FRIEND_ID, [ROOM], lift=True),
    calls.set_moderator(FRIEND_ID, ROOM),
    calls.delete_all_posts(ROOM, FRIEND_ID),
    calls.download(ROOM, 1),
    calls.Part("POST", f"/room/{ROOM}/pin/1", {}),
    calls.Part("PUT", f"/room/{ROOM}", {"name": "other", "description": "text", "default_read": True}),
    calls.Part("POST", f"/room/{ROOM}/permissions/{FRIEND_ID}", {"write": False, "default_read": True}),
)
_REQUESTS = (
    *(part.alone() for part in _PARTS),
    calls.batch(_PARTS[:9]),
    calls.batch(_PARTS[4:], in_turn=True),
    calls.upload(ROOM, b"blob", "a b.png"),
)


def _signed(request: ServerRequest, suite: Suite, number: int = 0) -> ServerRequest:
    return auth.sign_request(suite, OWN, SERVER_X, request, NOW_S, noise(f"nonce {number}", 16))


def _new_server(suite: Suite) -> CommunityServer:
    server = CommunityServer(SERVER_X, suite, _RULES, EPOCH_MS)
    server.add_room(ROOM, "Lobby", 0)
    server.add_room("empty", "Empty", 0)
    server.add_admin(OWN_ID, 0)
    for number, part in enumerate((_PARTS[0], _PARTS[7])):
        who = FRIEND if not number else OWN
        request = auth.sign_request(suite, who, SERVER_X, part.alone(), NOW_S, noise(f"first {number}", 16))
        assert server.handle(request, 1_000).status < 300
    return server


class Community:
    """A server that anything is asked of; what is signed is signed anew each time by its admin.

    Args:
        as_given: requests come with the headers they have; otherwise they are signed here.
    """

    def __init__(self, suite: Suite, *, as_given: bool) -> None:
        self._suite, self._as_given = suite, as_given
        self._numbers = count(10)
        self.server = _new_server(suite)

    def __call__(self, raw: bytes) -> object:
        number = next(self._numbers)
        if number % 400 == 0:
            self.server = _new_server(self._suite)  # what members post is kept for ever
        request = request_of(raw)
        if not self._as_given:
            try:
                request = _signed(request._replace(endpoint=request.endpoint or "/"), self._suite, number)
            except RemoteProtocolError:
                request = request._replace(endpoint="/")
        return check_answer(self.server.handle(request, 2_000 + 1_000 * number))


def _community(suite: Suite, *, as_given: bool) -> tuple[Callable[[bytes], object], Callable[[], int]]:
    community = Community(suite, as_given=as_given)
    return community, lambda: held(community.server)


def _batches() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    """Let the admin send a batch of any JSON."""
    community = Community(FAST, as_given=False)
    return (
        lambda raw: community(lines_of(ServerRequest("POST", "/batch", calls.JSON_HEADERS, raw))),
        lambda: held(community.server),
    )


def _through_onion(head: str) -> tuple[Callable[[bytes], object], Callable[[], int]]:
    """Seal any payload for the server, and open what it answers."""
    server = _new_server(FAST)
    endpoint = OnionEndpoint(FAST, _SERVER, Entropy(noise("community", 32)), server.handle)
    public, layer = FAST.layer_to(onion.GcmLayer, noise("ephemeral", 32), SERVER_X)
    route = server_route(onion.DESKTOP, ServerAddress("c", SERVER_X), public)
    times = count(2_000, 1_000)

    def run(payload: bytes) -> object:
        posted = encode_frame(layer.seal(payload, noise("nonce", 24)), route)
        status, body = endpoint.post(head, posted, next(times))
        assert status == 200
        if head == "lsrpc/v4":
            return v4.decode_answer(layer.open(body))
        return body

    return run, lambda: held(server)


def _posted() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    """Post anything to the endpoint."""
    server = _new_server(FAST)
    endpoint = OnionEndpoint(FAST, _SERVER, Entropy(noise("community", 32)), server.handle)
    return lambda raw: [
        endpoint.post(head, raw, 2_000)[0] for head in (*HEADS.values(), "lsrpc")
    ], lambda: held(server)


def _claimed(raw: bytes) -> object:
    """Read who asks, and verify it: nobody passes but who signed this very request."""
    request = request_of(raw)
    claim = auth.read_claim(request, require_blinding=True)
    if claim is None:
        return None
    if not auth.verify_claim(SODIUM, SERVER_X, claim, request):
        raise RemoteProtocolError("not signed")
    return claim.session_id, request.method, auth.decoded_path(request.endpoint), request.body


def _who(claimed: object) -> object:
    return claimed or _claimed(_SIGNED_LINES[0])


_SIGNED_LINES = tuple(
    lines_of(_signed(request, SODIUM)) for request in (_REQUESTS[0], _REQUESTS[7], _REQUESTS[-1])
)
_LINES = tuple(map(lines_of, _REQUESTS))


_HANDLE = "communities.server.CommunityServer.handle"
_PAYLOADS = tuple(
    v4.encode_request(onion.DESKTOP, _signed(request, FAST, k)) for k, request in enumerate(_REQUESTS)
)


DECODERS = (
    *(
        machine(
            f"{_HANDLE}/{suite.name}",
            "text",
            lambda suite=suite: _community(suite, as_given=False),
            _LINES,
            2_000_000,
            base=200_000,
            growth=200,
        )
        for suite in (FAST, SODIUM)
    ),  # type: ignore[misc]
    machine(
        f"{_HANDLE}/as given",
        "text",
        lambda: _community(SODIUM, as_given=True),
        _SIGNED_LINES,
        500_000,
        base=200_000,
    ),
    machine(
        f"{_HANDLE}/batches",
        "json",
        _batches,
        tuple(request.body for request in _REQUESTS[-3:-1]),
        2_000_000,
        base=500_000,
        growth=2_000,
    ),
    machine(
        "lsrpc.OnionEndpoint.post/v4",
        "bencode",
        lambda: _through_onion("lsrpc/v4"),
        _PAYLOADS,
        2_000_000,
        base=200_000,
        growth=100,
    ),
    machine(
        "lsrpc.OnionEndpoint.post/v3",
        "json",
        lambda: _through_onion("lsrpc/v3"),
        (b'{"method":"GET","endpoint":"/rooms","headers":{}}',),
        500_000,
        base=200_000,
    ),
    machine(
        "lsrpc.OnionEndpoint.post",
        "frame",
        _posted,
        (encode_frame(bytes(60), b'{"ephemeral_key":"%b"}' % (b"ab" * 32)),),
        500_000,
    ),
    Decoder("communities.auth.verify_claim", "text", _claimed, _SIGNED_LINES, genuine=_who, share=2),
)
