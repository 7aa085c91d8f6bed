"""Storage RPC as one node executes it by itself: checks, and its own message store (transport 5.2-5.8).

Forwarding to the swarm and waiting for it are not here, see `_jobs`. Order of the checks, codes and texts are
those of session-storage-server: oxenss/rpc/request_handler.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sessionsim.core.errors import CannotOpen
from sessionsim.core.nodelist import NodeList
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.crypto.real import x25519_public_of_ed25519
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.namespaces import is_open_to_read, is_public_inbox
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.storage import Message, MessageStore, Stored
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.wire import rpc_answers
from sessionsim.protocol.wire.rpc import signed_text
from sessionsim.protocol.wire.rpc_answers import Answer, text_answer
from sessionsim.protocol.wire.rpc_node import (
    InfoCall,
    PollCall,
    Refused,
    RetrieveCall,
    StoreCall,
    SwarmCall,
    read_forward,
)

UNASSIGNED_SWARM: Final = (1 << 64) - 1  # nodes without a swarm. Source: transport 2.1
_ACCOUNT_PREFIX: Final = 5  # ids made from an X25519 key. Source: transport 1.2


class StorageRpc:
    """What a node does with one call, without asking anybody.

    Args:
        endpoint: its position in the node list.
        ed: its Ed25519 pair.
        nodes: the list.
        suite: cryptography.
        rules: limits and windows.
    """

    def __init__(self, endpoint: int, ed: KeyPair, nodes: NodeList, suite: Suite, rules: NodeRules) -> None:
        self._ed, self._nodes, self._suite, self._rules = ed, nodes, suite, rules
        self._swarm = nodes.swarm[endpoint]
        self._swarms = tuple(swarm for swarm in nodes.members if swarm != UNASSIGNED_SWARM)
        self._verdict = (b"", False)
        self._nothing: tuple[int, Answer] = (
            0,
            (0, b"", True),
        )  # the answer of an empty box, and its time in ms
        self._paired: tuple[bytes, bytes] = (b"", b"")  # the last account and the Ed25519 key it belongs to
        self._version = rules.version_numbers
        self.hard_fork = b"[%d,%d]" % (rules.hard_fork, rules.hard_fork_revision)
        self._tolerance_ms = rules.store_tolerance_us // US_PER_MS
        self._window_ms = rules.signature_window_us // US_PER_MS
        self._ttl_ms = (rules.ttl_min_us // US_PER_MS, rules.ttl_max_inbox_us // US_PER_MS)
        self._ttl_max_private_ms = rules.ttl_max_private_us // US_PER_MS
        self.store = MessageStore(
            cleanup_period_ms=rules.cleanup_period_us // US_PER_MS,
            disk_max_bytes=rules.disk_max_bytes,
            overhead_bytes=rules.message_overhead_bytes,
        )

    def answer(self, call: RetrieveCall | SwarmCall | InfoCall, now_ms: int) -> Answer:
        """Execute a call that concerns this node alone."""
        if type(call) is RetrieveCall:
            return self._retrieve(call, now_ms)
        if type(call) is SwarmCall:
            return 200, self._swarm_of(call.account, now_ms), True
        return 200, rpc_answers.info_body(self._version, now_ms, self.hard_fork), True

    def poll(self, call: PollCall, now_ms: int) -> Answer:
        """Execute a poll: what its parts have in common is checked once. As one by one (tested)."""
        account, ed25519, signed_ms, parts = call
        if not (
            self._is_ours(account)
            and abs(signed_ms - now_ms) <= self._window_ms
            and self._belongs(ed25519, account)
        ):
            return rpc_answers.batch_answer([self._retrieve(part, now_ms) for part in call.calls()])
        verify, is_empty = self._suite.verify, self.store.is_empty
        if self._nothing[0] != now_ms:
            self._nothing = now_ms, self._retrieved((), False, now_ms)
        nothing = self._nothing[1]
        answers = []
        for namespace, last_hash, size, signature in parts:
            text = signed_text("retrieve", namespace, signed_ms)
            if not verify(ed25519, text, signature):
                answers.append(text_answer(401, "retrieve signature verification failed"))
            elif is_empty(account, namespace, now_ms):
                answers.append(nothing)
            else:
                answers.append(self._found(account, namespace, last_hash, 0, size, now_ms))
        return rpc_answers.batch_answer(answers)

    def refusal_of_store(self, call: StoreCall, now_ms: int) -> Answer | None:
        """Say why a store is not accepted; None if it is."""
        if not self._is_ours(call.account):
            return self._wrong_swarm(call.account, now_ms)
        public = is_public_inbox(call.namespace)
        least, most_public = self._ttl_ms
        if (
            not least
            <= call.expiry_ms - call.timestamp_ms
            <= (most_public if public else self._ttl_max_private_ms)
        ):
            return text_answer(403, "Provided expiry/TTL is not valid.")
        if call.timestamp_ms > now_ms + self._tolerance_ms or call.expiry_ms < now_ms - self._tolerance_ms:
            return text_answer(406, "Timestamp error: check your clock")
        if public:
            return None
        if call.signature is None:
            return text_answer(401, f"store: signature required to store to namespace {call.namespace}")
        if abs(call.signed_ms - now_ms) > self._window_ms:
            return text_answer(406, "store signature timestamp too far from current time")
        text = signed_text("store", call.namespace, call.signed_ms)
        if not self._signature_holds(call.account, call.ed25519, text, call.signature):
            return text_answer(401, "store signature verification failed")
        return None

    def store_own(self, call: StoreCall, now_ms: int) -> tuple[str, bytes]:
        """Store at the node that was asked: the hash (empty if it failed) and its entry of the answer."""
        became, expiry_ms, signature = self._keep(call, now_ms)
        if became is Stored.FULL:
            return "", rpc_answers.own_failure(now_ms)
        already = became is Stored.ALREADY
        return call.hash, rpc_answers.own_entry(call.hash, signature, expiry_ms, already, now_ms)

    def store_forwarded(self, payload: bytes, now_ms: int) -> tuple[int, bytes]:
        """Execute what another member forwarded: status and bytes of the answer. It goes no further."""
        try:
            call = read_forward(payload, self._rules.message_max_bytes)
        except Refused as refused:
            return refused.status, refused.text.encode()
        refusal = self.refusal_of_store(call, now_ms)
        if refusal is not None:
            return refusal[0], refusal[1]
        became, expiry_ms, signature = self._keep(call, now_ms)
        if became is Stored.FULL:
            return 500, rpc_answers.member_failure()
        return 200, rpc_answers.member_answer(call.hash, signature, expiry_ms, became is Stored.ALREADY)

    def _keep(self, call: StoreCall, now_ms: int) -> tuple[Stored, int, bytes]:
        account, namespace, timestamp_ms, expiry_ms, data, hash_ = call[:6]
        became, expiry_ms = self.store.store(account, namespace, hash_, timestamp_ms, expiry_ms, data, now_ms)
        return became, expiry_ms, self._suite.sign(self._ed, hash_.encode())

    def _retrieve(self, call: RetrieveCall, now_ms: int) -> Answer:
        account, namespace, last_hash, max_count, size, ed25519, signature, signed_ms = call
        known, ours = self._verdict
        if not (ours if known == account else self._is_ours(account)):
            return self._wrong_swarm(account, now_ms)
        if signature is not None:
            if abs(signed_ms - now_ms) > self._window_ms:
                return text_answer(406, "retrieve timestamp too far from current time")
            text = signed_text("retrieve", namespace, signed_ms)
            if not self._signature_holds(account, ed25519, text, signature):
                return text_answer(401, "retrieve signature verification failed")
        elif not is_open_to_read(namespace):
            return text_answer(401, "retrieve: request signature required")
        return self._found(account, namespace, last_hash, max_count, size, now_ms)

    def _found(
        self, account: bytes, namespace: int, last_hash: str, max_count: int, size: int, now_ms: int
    ) -> Answer:
        """Read a box for somebody who may."""
        most = self._rules.retrieve_max_bytes
        if size == 0 and max_count == 0:
            size = -self._rules.retrieve_share
        if size < 0:
            size = most // -size
        elif size == 0 or size > most:
            size = most
        # A negative count asks for one message, as the real database reads it.
        count = 1 if max_count < 0 else max_count
        return self._retrieved(
            *self.store.retrieve(account, namespace, last_hash, count, size, now_ms), now_ms
        )

    def _retrieved(self, found: Sequence[Message], more: bool, now_ms: int) -> Answer:
        return 200, rpc_answers.retrieve_body(found, more, now_ms, self.hard_fork), True

    def _signature_holds(self, account: bytes, ed25519: bytes | None, text: bytes, signature: bytes) -> bool:
        """Check a signature of an account, whose Ed25519 key is named apart if its id is an X25519 key."""
        if ed25519 is not None and account[0] == _ACCOUNT_PREFIX:
            return self._belongs(ed25519, account) and self._suite.verify(ed25519, text, signature)
        return self._suite.verify(account[1:], text, signature)

    def _belongs(self, ed25519: bytes, account: bytes) -> bool:
        """Say whether an account id (05) is made from this Ed25519 key."""
        if self._paired != (account, ed25519):
            try:
                if x25519_public_of_ed25519(ed25519) != account[1:]:
                    return False
            except CannotOpen:
                return False
            self._paired = (account, ed25519)
        return True

    def _is_ours(self, account: bytes) -> bool:
        # The parts of a batch ask for one account, so the last verdict is worth keeping.
        known, verdict = self._verdict
        if known != account:
            verdict = nearest_swarm(swarm_position(account[1:]), self._swarms) == self._swarm
            self._verdict = (account, verdict)
        return verdict

    def _swarm_of(self, account: bytes, now_ms: int) -> bytes:
        swarm = nearest_swarm(swarm_position(account[1:]), self._swarms)
        return rpc_answers.swarm_body(self._nodes, swarm, now_ms, self.hard_fork)

    def _wrong_swarm(self, account: bytes, now_ms: int) -> Answer:
        return 421, self._swarm_of(account, now_ms), True
