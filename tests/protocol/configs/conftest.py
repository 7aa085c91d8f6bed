"""For tests of configs: the running example of libsession-util's merge documentation, and a swarm.

Test files cannot import each other, so everything comes as fixtures.
"""

from __future__ import annotations

import hashlib
from random import Random
from types import SimpleNamespace

import pytest

from sessionsim.protocol.configs import Config
from sessionsim.protocol.configs.message import ConfigMessage, Draft, next_draft
from sessionsim.protocol.configs.values import Tree


def data_118() -> Tree:
    """Give the data the example starts from, at seqno 118."""
    return {
        b"dictB": {b"changed": -1, b"foo": 123, b"removed": b"x", b"removed2": b"y"},
        b"dictC": {b"x": {b"y": 1}},
        b"good": frozenset((99, 456, b"bar")),
        b"great": frozenset((-42, b"omg")),
        b"int0": -9999,
        b"int1": 100,
        b"string1": b"hello",
        b"string2": b"goodbye",
    }


def from_scratch(seqno: int, data: Tree) -> ConfigMessage:
    """Give a message with these data and nothing before."""
    return Draft(seqno, data, {}, {}, {}).finish()


def message_118() -> ConfigMessage:
    """Give the first message of the example."""
    return from_scratch(118, data_118())


def unchanged(message: ConfigMessage, times: int = 1) -> ConfigMessage:
    """Give the message so many seqnos later, without a change."""
    for _ in range(times):
        message = next_draft(message).finish()
    return message


def message_123() -> ConfigMessage:
    """Give the example's first ordinary update."""
    draft = next_draft(unchanged(message_118(), 4))
    draft.data.update({b"int1": 1, b"int2": 2})
    del draft.data[b"int0"]
    return draft.finish()


def message_124() -> ConfigMessage:
    """Give the example's large update."""
    draft = next_draft(message_123())
    data = draft.data
    data[b"dictA"] = {b"hello": 123, b"goodbye": frozenset((123, 456))}
    data[b"dictB"] = {b"foo": 123, b"changed": 1, b"added": 9999, b"nested": {b"a": 1}}
    data[b"good"] = frozenset((99, 123, b"Foo", b"bar"))
    data.update({b"int1": 42, b"string2": b"hello", b"string3": b"omg"})
    for key in (b"dictC", b"string1", b"great"):
        del data[key]
    return draft.finish()


def messages_125() -> tuple[ConfigMessage, ConfigMessage]:
    """Give the two updates that conflict."""
    first, second = next_draft(message_124()), next_draft(message_124())
    del first.data[b"dictB"][b"foo"]
    second.data[b"int1"] = 5
    return first.finish(), second.finish()


class Swarm:
    """What is stored in a config's namespace: storage hash -> bytes; the same bytes have the same hash."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    def push(self, config: Config, *, confirmed: bool = True, stored: bool = True) -> None:
        """Store what a config pushes and delete what it supersedes, unless the request is lost on its way."""
        push = config.push(0)
        names = [hashlib.blake2b(part, digest_size=32).hexdigest() for part in push.parts]
        if stored:
            self.stored.update(zip(names, push.parts, strict=True))
            for name in push.obsolete:
                self.stored.pop(name, None)
        if stored and confirmed:
            config.confirm_pushed(push.seqno, names)

    def fetch(self, config: Config, order: Random | None = None) -> frozenset[str]:
        """Merge everything that is stored, perhaps in another order."""
        fetched = list(self.stored.items())
        if order is not None:
            order.shuffle(fetched)
        return config.merge(fetched, 0)


@pytest.fixture
def swarm() -> Swarm:
    """Give an empty swarm."""
    return Swarm()


@pytest.fixture(scope="session")
def make_swarm() -> type[Swarm]:
    """Give the class, for tests that need a swarm for each example."""
    return Swarm


@pytest.fixture(scope="session")
def example() -> SimpleNamespace:
    """Give the messages of the running example, by seqno."""
    first, second = messages_125()
    return SimpleNamespace(
        data_118=data_118(),
        m118=message_118(),
        m123=message_123(),
        m124=message_124(),
        m125a=first,
        m125b=second,
        from_scratch=from_scratch,
        unchanged=unchanged,
    )
