"""File server and push server: any request in lines, and what nodes announce."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.files.client import download_request, extend_request, facts_request, upload_request
from sessionsim.protocol.files.releases import Release
from sessionsim.protocol.files.server import FileServer, hash_id
from sessionsim.protocol.files.server_rules import FileServerRules
from sessionsim.protocol.files.version_check import check_request, version_request
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.server import PushServer
from sessionsim.protocol.push.subscription import (
    Device,
    subscribe_request,
    unsubscribe_request,
)
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from tests.fuzz.decoder import Decoder, machine
from tests.fuzz.held import held
from tests.fuzz.table._files import DEVICE
from tests.fuzz.table._keys import NOW_MS, OWN, SODIUM, noise
from tests.fuzz.table._node import EPOCH_MS, NOW_US
from tests.fuzz.table._requests import check_answer, lines_of, request_of
from tests.fuzz.table._rpc import (
    NOTIFICATIONS,
    OF_GROUP,
    OF_MEMBER,
    SUBSCRIPTION,
)


def _handled(handle: Callable[[ServerRequest, int], ServerAnswer]) -> Callable[[bytes], object]:
    times = count(NOW_US, 1_000_000)

    def run(raw: bytes) -> object:
        return check_answer(handle(request_of(raw), next(times)))

    return run


_RELEASES = (("desktop", Release("1.17.0", NOW_MS * 1000)),)


_CHECKED = version_request(SODIUM, OWN, "desktop", NOW_MS // 1000)


def _file_server(rules: FileServerRules) -> tuple[Callable[[bytes], object], Callable[[], int]]:
    server = FileServer(rules, SODIUM, Entropy(noise("files", 32)), EPOCH_MS, _RELEASES)

    def handle(request: ServerRequest, now_us: int) -> ServerAnswer:
        server.checks.clear()  # a log of the operator, which grows with every genuine request
        return server.handle(request, now_us)

    return _handled(handle), lambda: held(server)


_FILE_REQUESTS = tuple(
    map(
        lines_of,
        (
            upload_request(b"blob", ttl_s=3600),
            upload_request(b"blob", style="android"),
            facts_request(hash_id(b"blob")),
            download_request(hash_id(b"blob")),
            extend_request(hash_id(b"blob"), ttl_s=5),
            ServerRequest("GET", "/file/1234", {}),
            ServerRequest("GET", "/session_version?platform=desktop", {}),
            _CHECKED,
        ),
    )
)


def _push_server() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    server = PushServer(PushRules(), SODIUM, Entropy(noise("pushes", 32)), EPOCH_MS)

    def handle(request: ServerRequest, now_us: int) -> ServerAnswer:
        server.take_fresh()
        return server.handle(request, now_us)

    return _handled(handle), lambda: held(server)


def _announced() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    server = PushServer(PushRules(), SODIUM, Entropy(noise("pushes", 32)), EPOCH_MS)
    server.handle(_SUBSCRIBE, NOW_US)
    server.take_fresh()
    times = count(NOW_US, 1_000_000)
    return lambda raw: server.announced(raw, next(times)), lambda: held(server)


_SIGN = partial(SODIUM.sign, OWN.ed)


_SUBSCRIBE = subscribe_request([(SUBSCRIPTION, DEVICE, noise("enc", 32))])


_PUSH_REQUESTS = tuple(
    map(
        lines_of,
        (
            _SUBSCRIBE,
            subscribe_request([(SUBSCRIPTION, DEVICE, noise("enc", 32))], as_list=False),
            unsubscribe_request([(SUBSCRIPTION.authority, DEVICE)], _SIGN, NOW_MS // 1000),
            subscribe_request(
                [(OF_GROUP, DEVICE, bytes(32)), (OF_MEMBER, Device("apns", "t" * 64), bytes(32))]
            ),
        ),
    )
)


def _checked(raw: bytes) -> object:
    """Check a signed request of any headers; who is let in must be who signed."""
    found = check_request(SODIUM, request_of(raw), NOW_MS * 1000)
    if found and found.lower() != _CHECKED.headers["X-FS-Pubkey"]:
        raise AssertionError("somebody else is let in")
    return found


_FILE_RULES = {
    "new": FileServerRules(max_bytes=2_000, lifetime_us=60_000_000, longest_lifetime_us=60_000_000),
    "old": FileServerRules(
        max_bytes=2_000, lifetime_us=60_000_000, ids="number", serves_expired=True, says_expiry=False
    ),
}

DECODERS = (
    *(
        machine(
            f"files.server.FileServer.handle/{name}",
            "text",
            partial(_file_server, rules),
            _FILE_REQUESTS,
            1_000_000,
            base=5_000,
        )
        for name, rules in _FILE_RULES.items()
    ),
    Decoder("files.version_check.check_request", "text", _checked, (lines_of(_CHECKED),), share=1),
    machine("push.server.PushServer.handle", "text", _push_server, _PUSH_REQUESTS, 20_000, growth=120),
    machine(
        "push.server.PushServer.announced",
        "bencode",
        _announced,
        NOTIFICATIONS,
        200_000,
        errors=(RemoteProtocolError,),
    ),
)
