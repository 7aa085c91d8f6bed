"""A community server and a few people who talk to it, each request signed as a client signs it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from sessionsim.protocol.blinding import PREFIX_15, blind15_key
from sessionsim.protocol.communities import CommunityRules, CommunityServer
from sessionsim.protocol.communities.auth import sign_request
from sessionsim.protocol.communities.calls import Part
from sessionsim.protocol.communities.posts import SignedPost, sign_post
from sessionsim.protocol.crypto import Suite, real, suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest

EPOCH_MS = 1_777_000_000_000
SERVER = real.x25519_keypair(hashlib.sha256(b"community").digest())
PUBLIC: bytes = SERVER.public


class Person:
    """A member of a community: signs, posts. `blinded`: asks under the 15 id."""

    def __init__(self, hall: Hall, name: str, blinded: bool) -> None:
        self.hall, self.blinded, self._nonces = hall, blinded, 0
        self.account = account_from_seed(hashlib.sha256(name.encode()).digest()[:16])
        point = blind15_key(self.account, PUBLIC).public
        self.id = (PREFIX_15 + point if blinded else self.account.id).hex()

    def signed(self, request: ServerRequest, family: str = "desktop") -> ServerRequest:
        self._nonces += 1
        nonce = hashlib.sha256(self.id.encode() + b"%d" % self._nonces).digest()[:16]
        now_s = self.hall.unix_us // 1_000_000
        return sign_request(
            self.hall.suite, self.account, PUBLIC, request, now_s, nonce, blinded=self.blinded, family=family
        )

    def ask(self, part: Part | ServerRequest) -> ServerAnswer:
        request = part.alone() if isinstance(part, Part) else part
        return self.hall.server.handle(self.signed(request), self.hall.now_us)

    def get(self, part: Part | ServerRequest, status: int = 200) -> Any:
        """Ask, expect a status, and give the JSON of the answer."""
        answer = self.ask(part)
        assert answer.status == status, answer
        assert answer.headers["content-type"] == "application/json"
        return json.loads(answer.body)

    def refused(self, part: Part | ServerRequest) -> int:
        answer = self.ask(part)
        assert answer.status >= 400, answer
        return answer.status

    def written(self, content: bytes) -> SignedPost:
        return sign_post(self.account, PUBLIC, content, blinded=self.blinded, random64=bytes(64))


class Hall:
    """The server with a room `lobby`, and the people in it. Time moves only when told to."""

    def __init__(self, suite: str = "sodium", **rules: Any) -> None:
        self.suite: Suite = suite_named(suite, memo=False)
        self.rules = CommunityRules(**rules)
        self.server = CommunityServer(PUBLIC, self.suite, self.rules, EPOCH_MS)
        self.now_us = 1_000_000
        self.room = self.server.add_room("lobby", "The Lobby", self.now_us)
        self.state = self.server.state

    @property
    def unix_us(self) -> int:
        return EPOCH_MS * 1000 + self.now_us

    def person(self, name: str, *, blinded: bool = True) -> Person:
        return Person(self, name, blinded)

    def admin(self, name: str = "admin") -> Person:
        person = self.person(name)
        self.server.add_admin(person.id, self.now_us)
        return person

    def wait(self, seconds: float) -> None:
        self.now_us += round(seconds * 1_000_000)

    def anonymous(self, part: Part) -> ServerAnswer:
        return self.server.handle(part.alone(), self.now_us)


@pytest.fixture(scope="session")
def make_hall() -> Callable[..., Hall]:
    return Hall
