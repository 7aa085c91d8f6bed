"""A client of version 2: answers of hostile nodes, and what its own namespaces and its inbox hold."""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import DESKTOP
from sessionsim.protocol.client.v2 import add_v2, fetches, with_namespaces
from sessionsim.protocol.client.v2.sealing import SealingV2
from sessionsim.protocol.machine import DELIVER
from sessionsim.protocol.namespaces import ACCOUNT_KEYS, DEFAULT, DEVICES
from sessionsim.protocol.v2 import V2Rules, account_keys, seal, seal_fallback, write_record
from sessionsim.protocol.v2.devices import DeviceGroup
from sessionsim.protocol.versions.v1 import Profile, encode_text, seal_direct
from sessionsim.protocol.wire import rpc, rpc_answers
from tests.fuzz.decoder import Decoder, machine
from tests.fuzz.held import held
from tests.fuzz.table._client import Polling
from tests.fuzz.table._keys import FAST, FRIEND, NOW_MS, OWN, noise
from tests.fuzz.table._node import EPOCH_MS, HOPS, NODES, NOW_US

_RULES = V2Rules()
_UNIX_US = EPOCH_MS * US_PER_MS
_READS = (DEVICES, ACCOUNT_KEYS, DEFAULT)


def _group(name: str) -> DeviceGroup:
    return DeviceGroup(FAST, OWN, Entropy(noise(name, 32)), _UNIX_US, _RULES)


def _member() -> DeviceGroup:
    group = _group("device")
    group.establish(_UNIX_US)
    group.fetched()
    return group


def _client() -> Client:
    profile, rules = Profile("Ann", "", b"", None), with_namespaces(DESKTOP, _RULES)
    client = Client(OWN, NODES, HOPS, rules, FAST, Entropy(noise("client", 32)), EPOCH_MS, profile)
    add_v2(client, _RULES, _member())
    return client


class _Answered(Polling):
    """A client that also fetches keys, all of whose requests hostile nodes answer."""

    COMMANDS = (*Polling.COMMANDS, ("open-conversation", FRIEND.id), ("describe-device", "phone"))

    def _new(self) -> Client:
        return _client()


class _Reading:
    """Takes what a swarm holds; the first byte chooses the namespace."""

    def __init__(self) -> None:
        self.client, self._now_us = _client(), NOW_US
        self.client.start(NOW_US)

    def __call__(self, raw: bytes) -> object:
        self._now_us += 1_000
        namespace, data = _READS[raw[0] % 3 if raw else 0], raw[1:]
        name = rpc.message_hash(OWN.id, namespace, data)
        message = rpc.Retrieved(name, EPOCH_MS, EPOCH_MS + 1000, data)
        effects = self.client.takers[namespace](message, self._now_us)
        return [effect for effect in effects if effect[0] == DELIVER]


def _answered() -> tuple[_Answered, Callable[[], int]]:
    made = _Answered(DESKTOP, sealed=True)
    return made, lambda: held(made.client)


def _reading() -> tuple[_Reading, Callable[[], int]]:
    made = _Reading()
    return made, lambda: held(made.client)


_CONTENT = encode_text("hello", NOW_MS)
_PFS = seal(FAST, FRIEND.ed, OWN.id, _member().account_keys[0].public, _CONTENT, noise("pfs", 64))
_FALLBACK = seal_fallback(FAST, FRIEND.ed, OWN.id, _CONTENT, noise("fallback", 1122))
_LOCKED = seal(
    FAST, FRIEND.ed, OWN.id, account_keys(FAST, noise("other", 32)).public, _CONTENT, noise("pfs", 64)
)
_V1 = seal_direct(FAST, FRIEND, OWN.id, _CONTENT, NOW_MS, noise("random", 96))
_RECORD = _member().build_record()
_THEIRS = write_record(FRIEND, account_keys(FAST, noise("friend", 32)).public, None)
_PUSH = _member().build_push(_UNIX_US).message


def _retrieved(*data: bytes) -> bytes:
    from sessionsim.protocol.storage import Message

    bodies = [
        rpc_answers.retrieve_body([Message(1, "C" * 43, NOW_MS, NOW_MS, one)], False, NOW_MS, b"[19,3]")
        for one in data
    ]
    return rpc_answers.batch_answer([(200, body, True) for body in bodies])[1] if data[1:] else bodies[0]


def _newest(raw: bytes) -> object:
    return fetches.newest_record(FAST, FRIEND.id, [rpc.Retrieved("C" * 43, 0, 0, raw)])[1]


DECODERS = (
    machine(
        "client.machine.Client.receive/version 2", "json", _answered,
        (_retrieved(_THEIRS), _retrieved(_PUSH, _RECORD, _PFS), b'{"results":[{"code":200,"body":{}}]}'),
        2_000_000, base=100_000,
    ),
    machine(
        "client.v2.locked.LockedInbox.take", "raw", _reading,
        (b"\0" + _PUSH, b"\1" + _RECORD, b"\2" + _PFS, b"\2" + _FALLBACK, b"\2" + _LOCKED, b"\2" + _V1),
        4_000_000,
    ),
    Decoder("client.v2.fetches.newest_record", "raw", _newest, (_THEIRS, b""), share=1),
    Decoder(
        "client.v2.sealing.SealingV2.open", "raw",
        SealingV2(
            _client(), _RULES, fetches.KeyFetches(_client(), _RULES), _member()
        ).open, (_PFS, _FALLBACK, _V1), share=1,
    ),
)  # fmt: skip
