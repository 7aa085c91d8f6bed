"""The client: every answer to its requests comes from a hostile node or guard."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from itertools import count

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client import listings
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import PLATFORMS, ClientRules
from sessionsim.protocol.machine import CONNECT, DELIVER, EVENT, LOG, SEND, WAKE_AT
from sessionsim.protocol.versions.v1 import Profile, encode_text, seal_direct
from sessionsim.protocol.wire import active_nodes, batches, onion, rpc_answers, seed_json
from tests.fuzz.decoder import Decoder, machine
from tests.fuzz.held import held
from tests.fuzz.table._keys import FAST, FRIEND, NOW_MS, OWN, noise
from tests.fuzz.table._node import EPOCH_MS, HOPS, NODES, NOW_US, XS
from tests.fuzz.table._rpc import (
    BATCHED,
    RETRIEVED,
    STORED,
    SWARM,
)


class Polling:
    """A client whose every request is answered by a hostile node, guard or server.

    Args:
        rules: its platform.
        sealed: whether an input is the plaintext of an answer (of the node asked), or what a guard sends.
    """

    # What it is told in turn when it waits for nothing.
    COMMANDS: tuple[tuple[object, ...], ...] = (("poll",), ("poll",), ("send", 1, FRIEND.id, "hello"))

    def __init__(self, rules: ClientRules, *, sealed: bool) -> None:
        self._sealed, self._rules = sealed, rules
        self._now_us, self._turns = NOW_US, count(1)
        self.client = self._new()
        self._asked = list(self.client.start(NOW_US))

    def _new(self) -> Client:
        profile = Profile("Ann", "", b"", None)
        return Client(OWN, NODES, HOPS, self._rules, FAST, Entropy(noise("client", 32)), EPOCH_MS, profile)

    def __call__(self, raw: bytes) -> object:
        self._now_us += 1_000
        waiting = [effect for effect in self._asked if effect[0] == SEND]
        if not waiting:
            command = self.COMMANDS[next(self._turns) % len(self.COMMANDS) - 1]
            waiting = [effect for effect in self.client.command(command, self._now_us) if effect[0] == SEND]
        if not waiting:  # a message waits for its next attempt
            self._now_us += 200_000_000
            waiting = [effect for effect in self.client.wake(self._now_us) if effect[0] == SEND]
        self._asked = waiting[1:]
        if not waiting:
            return ()
        _send, guard, conn, exchange, head, request, _note = waiting[0]
        status = 200
        if raw[:1] == b"!":
            status, raw = int.from_bytes(raw[1:3], "little"), raw[3:]
        if self._sealed and head == "onion_req":
            status, raw = 200, onion.seal_answer(self._layer(request), status, raw, noise("n", 24))
        effects = list(self.client.receive(guard, conn, exchange, status, raw, self._now_us))
        self._asked += [effect for effect in effects if effect[0] == SEND]
        for effect in effects:
            assert effect[0] in (SEND, CONNECT, WAKE_AT, DELIVER, LOG, EVENT)
        return [effect for effect in effects if effect[0] == DELIVER]

    @staticmethod
    def _layer(request: bytes) -> onion.Layer:
        """Peel a request with the keys of the nodes, down to the layer of the node that is asked."""
        sealed, ephemeral, enc_type = onion.decode_client_request(request)
        for _ in range(5):
            for own in XS:
                try:
                    layer, plain = onion.open_request(FAST, own, ephemeral, enc_type, sealed)
                except RemoteProtocolError:
                    continue
                break
            inner = onion.decode_inner(plain)
            if inner[0] == onion.FINAL:
                return layer
            sealed, ephemeral, enc_type = inner[1:4]  # type: ignore[assignment]
        raise AssertionError("not a request of four layers")


_TO_ME = seal_direct(FAST, FRIEND, OWN.id, encode_text("hello", NOW_MS), NOW_MS, noise("random", 96))


def _retrieved(data: bytes) -> bytes:
    from sessionsim.protocol.stored import Message

    body = rpc_answers.retrieve_body([Message(1, "C" * 43, NOW_MS, NOW_MS, data)], False, NOW_MS, b"[19,3]")
    return rpc_answers.batch_answer([(200, body, True), (421, SWARM, True)])[1]


_SWARM_OF_OURS = rpc_answers.swarm_body(NODES, 0, NOW_MS, b"[19,3]")


_TO_CLIENTS = (b"!\xa5\x01" + _SWARM_OF_OURS, _retrieved(_TO_ME), _SWARM_OF_OURS, BATCHED, RETRIEVED, STORED)


def _listed(kind: str, raw: bytes) -> object:
    listing = listings.read_listing(kind, raw, NODES)
    return listing.order, listing.members


def _divided(raw: bytes) -> object:
    return batches.divided(raw, (1, 5, 2))


def _polling(rules: ClientRules, *, sealed: bool) -> tuple[Polling, Callable[[], int]]:
    polling = Polling(rules, sealed=sealed)
    return polling, lambda: held(polling.client)


_STATES = seed_json.nodes_answer(seed_json.nodes_request(), NODES, (2, 11, 3))
_LISTS = {
    "oxend": b'{"results":[{"code":200,"body":%b}]}' % _STATES,
    "seed": _STATES,
    "packed": base64.b64encode(active_nodes.write_active_nodes(NODES, (2, 11, 3))),
    "raw": active_nodes.write_active_nodes(NODES, (2, 11, 3)),
}

DECODERS = (
    Decoder("wire.batches.divided", "json", _divided, (BATCHED, b"{}"), base=20_000, growth=32),
    *(
        Decoder(
            f"client.listings.read_listing/{kind}",
            "json" if kind in ("oxend", "seed") else "raw",
            partial(_listed, kind),
            (seed,),
            base=20_000,
        )
        for kind, seed in _LISTS.items()
    ),
    *(
        machine(
            f"client.machine.Client.receive/{name}",
            "json",
            partial(_polling, rules, sealed=True),
            _TO_CLIENTS,
            2_000_000,
            base=100_000,
        )
        for name, rules in PLATFORMS.items()
    ),
    *(
        machine(
            f"client.machine.Client.receive/{name} guard",
            "text",
            partial(_polling, rules, sealed=False),
            (b"c2VhbGVk", b"!\x90\x01no"),
            50_000,
        )
        for name, rules in PLATFORMS.items()
    ),
)
