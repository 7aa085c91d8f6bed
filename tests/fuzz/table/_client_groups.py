"""A client in a group: what polls bring it from the group's swarm, and what comes to its own inbox."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol import contents
from sessionsim.protocol.client.groups.founded import Founded, found
from sessionsim.protocol.client.groups.part import Groups
from sessionsim.protocol.client.groups.rules import DESKTOP as RULES
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import DESKTOP
from sessionsim.protocol.groups import (
    Group,
    Subaccount,
    kick_message,
    read_promotion,
    seal_group,
    subaccount_of,
    write_invite,
    write_promotion,
)
from sessionsim.protocol.groups.subaccount import signing_value
from sessionsim.protocol.machine import DELIVER, Effects
from sessionsim.protocol.versions.v1 import Profile, encode_text
from sessionsim.protocol.wire.rpc import Retrieved, message_hash
from tests.fuzz.decoder import machine
from tests.fuzz.held import held
from tests.fuzz.table._keys import FAST, FRIEND, GROUP, NOW_MS, OWN, STRANGER, noise
from tests.fuzz.table._node import EPOCH_MS, HOPS, NODES

_PEOPLE = [(OWN.id, "own"), (FRIEND.id, "friend")]
_FOUNDING = found(FAST, GROUP, "club", _PEOPLE, [OWN.id], EPOCH_MS)
_VALUE = signing_value(FAST, GROUP, OWN.id)
_NAMESPACES = (12, 13, 14, 11, -11)


def _client(access: Group | Subaccount) -> tuple[Client, Groups]:
    client = Client(
        OWN, NODES, HOPS, DESKTOP, FAST, Entropy(noise("member", 32)), EPOCH_MS, Profile("Ann", "", b"", None)
    )
    groups = Groups(client, RULES, None, [Founded(_FOUNDING, access)])
    client.add(groups)
    client.start(0)
    return client, groups


def _delivered(effects: Effects) -> object:
    return [effect for effect in effects if effect[0] == DELIVER]


class _Member:
    """Takes what a swarm holds: the first byte chooses the namespace; sealed: what a member has sealed."""

    def __init__(self, access: Group | Subaccount, *, sealed: bool) -> None:
        self.client, self._groups = _client(access)
        self._sealed, self._now_us = sealed, 0

    def __call__(self, raw: bytes) -> object:
        self._now_us += 1_000
        standing, hearing = self._groups.standings[GROUP.id], self._groups.hearing
        namespace, data = _NAMESPACES[raw[0] % 5 if raw else 0], raw[1:]
        if self._sealed:
            namespace, ring = 11, standing.ring
            data = seal_group(FAST, FRIEND, GROUP.id, ring, raw or b"x", NOW_MS, noise("random", 88))
        name = message_hash(GROUP.id, namespace, data)
        message = Retrieved(name, EPOCH_MS, EPOCH_MS + 1000, data)
        effects = hearing.take(standing, namespace, [message], self._now_us)
        return _delivered(effects + hearing.polled(standing, self._now_us))


class _Asked:
    """Takes any Content that somebody sends to the account itself."""

    def __init__(self) -> None:
        self.client, self._groups = _client(GROUP)

    def __call__(self, raw: bytes) -> object:
        message = contents.read(raw)
        return _delivered(self._groups.news.take_update("C" * 43, FRIEND.id, message, 1))


def _member(access: Group | Subaccount, *, sealed: bool) -> tuple[_Member, Callable[[], int]]:
    made = _Member(access, sealed=sealed)
    return made, lambda: held(made.client)


def _asked() -> tuple[_Asked, Callable[[], int]]:
    made = _Asked()
    return made, lambda: held(made.client)


def _update(change: contents.GroupChange) -> bytes:
    return contents.write(contents.Message(NOW_MS, contents.GroupUpdate(change)))


_INVITE = contents.read_change(write_invite(FAST, GROUP, "club", OWN.id, NOW_MS))
_PROMOTION = contents.read_change(write_promotion(GROUP, "club"))
assert read_promotion(contents.write_change(_PROMOTION))[0] == GROUP
_SAID = (
    encode_text("hello", NOW_MS),
    _update(contents.GroupMemberLeft()),
    _update(contents.GroupInviteResponse(True)),
    _update(contents.GroupMemberChange(contents.MemberKind.ADDED, (STRANGER.id,), bytes(64))),
)
_KICK = kick_message(FAST, GROUP, [STRANGER.id], 3, noise("kick", 24))
_STORED = (
    *(bytes([k]) + one.data for k, one in enumerate(_FOUNDING.stored)),
    b"\x04" + _KICK,
)
_READERS = (("admin", GROUP), ("member", subaccount_of(OWN, _VALUE)))

DECODERS = (
    *(
        machine(
            f"client.groups.hearing.Hearing.take/{name}", "raw", partial(_member, access, sealed=False),
            _STORED, 400_000,
        )
        for name, access in _READERS
    ),
    *(
        machine(
            f"client.groups.talk.Talk.read/{name}", "protobuf", partial(_member, access, sealed=True), _SAID,
            400_000,
        )
        for name, access in _READERS
    ),
    machine(
        "client.groups.news.News.take_update", "protobuf", _asked, (_update(_INVITE), _update(_PROMOTION)),
        400_000, errors=(RemoteProtocolError,),
    ),
)  # fmt: skip
