"""The onion endpoint of a server: what it does with a posted frame, whatever it serves (transport 3.5, 3.7).

A file server, a push server and a community differ in what stands behind `handle`. A pure object: bytes in,
HTTP status and bytes out. What does not open gets a bare 400; everything else comes back encrypted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire import v3, v4
from sessionsim.protocol.wire.onion_server import V3_TARGET, V4_TARGET, open_server_request

Handler = Callable[[ServerRequest, int], ServerAnswer]

# Source: session-pysogs: sogs/routes/onion_request.py; v4 is served under one name only.
V3_TARGETS: Final = frozenset((V3_TARGET, "/oxen/v3/lsrpc"))
# What a last hop's request is called on a link, by its target; any other path is `lsrpc`.
HEADS: Final = {V4_TARGET: "lsrpc/v4"} | dict.fromkeys(V3_TARGETS, "lsrpc/v3")
OTHER_HEAD: Final = "lsrpc"


class OnionEndpoint:
    """Opens onion requests, has them handled, and seals the answers.

    Args:
        suite: cryptography.
        x: the server's X25519 pair.
        entropy: its addressed chance, for nonces.
        handle: serves a request at a time in µs.
        compact: JSON of v4 answers without spaces; see `v4.encode_answer`.
    """

    def __init__(
        self, suite: Suite, x: KeyPair, entropy: Entropy, handle: Handler, *, compact: bool = False
    ) -> None:
        self._suite, self._x, self._entropy, self._handle, self._compact = suite, x, entropy, handle, compact
        self.multiple_bytes = 0  # what sealed answers are filled up to (defences); 0: not at all

    def post(self, head: str, posted: bytes, now_us: int) -> tuple[int, bytes]:
        """Take what a last hop posted.

        Args:
            head: see HEADS.
            posted: the whole plaintext of the last hop. May be hostile.
            now_us: time in µs, as `handle` wants it.

        Returns:
            HTTP status and body.
        """
        if head not in HEADS.values():
            return 404, b"Not Found"
        try:
            opened = open_server_request(self._suite, self._x, posted)
        except RemoteProtocolError:
            return 400, b"Bad Request"
        layer, ephemeral, payload = opened
        if head == "lsrpc/v3":
            answer = self._served(v3.decode_request, payload, now_us)
            random = self._random(ephemeral, answer.body)
            return 200, v3.seal_answer(layer, answer, random, self.multiple_bytes)
        answer = self._served(v4.decode_request, payload, now_us)
        plain = v4.encode_answer(
            answer, compact=self._compact, layer=type(layer), multiple_bytes=self.multiple_bytes
        )
        return 200, layer.seal(plain, self._random(ephemeral, plain))

    def _served(self, decode: Callable[[bytes], ServerRequest], payload: bytes, now_us: int) -> ServerAnswer:
        try:
            request = decode(payload)
        except RemoteProtocolError:
            return v4.refusal()
        return self._handle(request, now_us)

    def _random(self, ephemeral: bytes, plain: bytes) -> bytes:
        # A frame posted twice has the same key; another answer to it must have another nonce.
        return self._entropy.draw(b"answer" + ephemeral + hashlib.blake2b(plain).digest())
