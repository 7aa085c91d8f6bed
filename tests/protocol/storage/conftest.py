"""Signed storage requests of an owner or a subaccount, for tests of the nodes' methods."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest

from sessionsim.protocol.authorisation import Subaccount, subaccount_token
from sessionsim.protocol.crypto import real
from sessionsim.protocol.wire import rpc, rpc_read, rpc_signed, rpc_write
from sessionsim.protocol.wire.rpc import DESKTOP, Call, request_body
from sessionsim.protocol.wire.rpc_write import Asker

DAY_MS = 86_400_000


class Caller:
    """Calls of one account in one network. Args: person: the owner; token, pair: of a subaccount."""

    def __init__(self, world: Any, person: Any, token: Subaccount | None = None, pair: Any = None) -> None:
        self.world, self.person, self.style = world, person, DESKTOP
        ed25519 = person.ed.public if person.ed_hex is not None else None
        self.asker = Asker(person.id, ed25519, token)
        self._pair = pair or person.ed

    def subaccount(self, flags: int, name: str = "member", prefix: int | None = None) -> Caller:
        """Give the calls of a subaccount with these rights."""
        pair = real.ed25519_keypair(name.encode().ljust(32, b"-"))
        raw = subaccount_token(self.person.id[0] if prefix is None else prefix, flags, pair.public)
        token = Subaccount(raw, real.ed25519_sign(self.person.ed, raw))
        return Caller(self.world, self.person, token, pair)

    def sign(self, text: bytes) -> bytes:
        return bytes(self.world.suite.sign(self._pair, text))

    def store(self, data: bytes, namespace: int = 0, *, ttl_ms: int = 14 * DAY_MS, age_ms: int = 0) -> Call:
        stamp = self.world.now_ms - age_ms
        signed_ms = self.world.now_ms
        signature = self.sign(rpc_signed.namespaced_text("store", namespace, signed_ms))
        return rpc_write.signed_store_call(
            self.style, self.asker, namespace, data, stamp, ttl_ms, signature, signed_ms
        )

    def retrieve(self, namespace: int = 0, last: str = "") -> Call:
        signature = self.sign(rpc_signed.namespaced_text("retrieve", namespace, self.world.now_ms))
        return rpc_write.signed_retrieve_call(
            self.style, self.asker, namespace, last, self.world.now_ms, signature, -1
        )

    def delete(self, hashes: Sequence[str], *, required: bool = False) -> Call:
        signature = self.sign(rpc_signed.delete_text(hashes))
        return rpc_write.delete_call(self.style, self.asker, hashes, signature, required=required)

    def delete_all(self, namespace: int | None = 0, *, at_ms: int = 0) -> Call:
        stamp = self.world.now_ms + at_ms
        signature = self.sign(rpc_signed.namespaced_text("delete_all", namespace, stamp))
        return rpc_write.delete_all_call(self.style, self.asker, namespace, stamp, signature)

    def delete_before(self, before_ms: int, namespace: int | None = 0) -> Call:
        signature = self.sign(rpc_signed.namespaced_text("delete_before", namespace, before_ms))
        return rpc_write.delete_before_call(self.style, self.asker, namespace, before_ms, signature)

    def expire_all(self, expiry_ms: int, namespace: int | None = 0) -> Call:
        signature = self.sign(rpc_signed.namespaced_text("expire_all", namespace, expiry_ms))
        return rpc_write.expire_all_call(self.style, self.asker, namespace, expiry_ms, signature)

    def expire(self, hashes: Sequence[str], expiries_ms: Sequence[int], mode: str = "") -> Call:
        signature = self.sign(rpc_signed.expire_text(mode, expiries_ms, hashes))
        return rpc_write.expire_call(self.style, self.asker, hashes, expiries_ms, signature, mode)

    def get_expiries(self, hashes: Sequence[str], *, at_ms: int = 0) -> Call:
        stamp = self.world.now_ms + at_ms
        signature = self.sign(rpc_signed.expiries_text(stamp, hashes))
        return rpc_write.get_expiries_call(self.style, self.asker, hashes, stamp, signature)

    def revoke(self, tokens: Sequence[bytes], *, undo: bool = False, at_ms: int = 0) -> Call:
        stamp, method = self.world.now_ms + at_ms, "unrevoke_subaccount" if undo else "revoke_subaccount"
        signature = self.sign(rpc_signed.tokens_text(method, stamp, tokens))
        return rpc_write.revoke_call(self.style, self.asker, tokens, stamp, signature, undo=undo)

    def revoked(self, *, at_ms: int = 0) -> Call:
        stamp = self.world.now_ms + at_ms
        signature = self.sign(rpc_signed.tokens_text("revoked_subaccounts", stamp, ()))
        return rpc_write.revoked_call(self.style, self.asker, stamp, signature)

    def ask(self, node: int, call: Call) -> tuple[int, Any]:
        """Send a call to a node and give status and answer, parsed if it is an object."""
        status, body = self.world.direct(node, request_body(self.style, call))
        return status, orjson.loads(body) if body[:1] == b"{" else body.decode("latin-1")

    def parts(self, node: int, call: Call) -> dict[int, rpc_read.Part]:
        """Send a recursive call that is to succeed; give each member's part by its endpoint."""
        status, answer = self.ask(node, call)
        assert status == 200, answer
        return {self.world.nodes.index[key]: part for key, part in rpc_read.read_parts(answer).items()}

    def put(self, *data: bytes, node: int = 0, namespace: int = 0, **changes: Any) -> list[str]:
        """Store messages on the whole swarm and give their hashes."""
        for one in data:
            assert self.ask(node, self.store(one, namespace, **changes))[0] == 200
        return [rpc.message_hash(self.person.id, namespace, one) for one in data]

    def held(self, node: int) -> list[str]:
        """Give the hashes of the account's messages at a node, sorted."""
        store = self.world.machines[node].store
        return sorted(one.message.hash for one in store.everything() if one.account == self.person.id)


@pytest.fixture(scope="session")
def caller() -> Callable[..., Caller]:
    return Caller


def base64_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
