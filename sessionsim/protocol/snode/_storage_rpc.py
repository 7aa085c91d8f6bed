"""Storage RPC as one node executes it by itself: checks, and its own message store (transport 5.2-5.8).

Forwarding to the swarm and waiting for it are not here, see `_jobs`. Stores and retrieves, which are most of
what a node does, are here; what changes or removes messages is in `_deletes`, `_expiries` and `_subaccounts`,
and why it is refused in `_checks`. Order of the checks, codes and texts are those of session-storage-server:
oxenss/rpc/request_handler.cpp.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from sessionsim.core.errors import CannotOpen
from sessionsim.core.nodelist import NodeList
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.authorisation import READ, store_rights
from sessionsim.protocol.crypto.real import x25519_public_of_ed25519
from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.namespaces import is_open_to_read, is_public_inbox, is_unrevocable
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode import _deletes, _expiries
from sessionsim.protocol.snode._checks import Checks
from sessionsim.protocol.snode._rereads import Again
from sessionsim.protocol.snode._subaccounts import Authority, Revocations
from sessionsim.protocol.storage import MessageStore
from sessionsim.protocol.stored import Message, Stored
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.wire import rpc_answers
from sessionsim.protocol.wire.active_nodes import write_active_nodes
from sessionsim.protocol.wire.rpc import signed_start, signed_text
from sessionsim.protocol.wire.rpc_answers import Answer, text_answer
from sessionsim.protocol.wire.rpc_calls import (
    ActiveNodesCall,
    DeleteAllCall,
    DeleteBeforeCall,
    DeleteCall,
    ExpireAllCall,
    ExpireCall,
    GetExpiriesCall,
    OxendCall,
    RecursiveCall,
    RevokeCall,
    RevokedCall,
    Signer,
)
from sessionsim.protocol.wire.rpc_fields import Refused
from sessionsim.protocol.wire.rpc_forward import read_forwarded
from sessionsim.protocol.wire.rpc_node import (
    InfoCall,
    PollCall,
    RetrieveCall,
    SimpleCall,
    StoreCall,
    SwarmCall,
)
from sessionsim.protocol.wire.rpc_oxend import oxend_answer
from sessionsim.protocol.wire.rpc_results import json_entry, member_result, object_answer
from sessionsim.protocol.wire.rpc_signed import expiries_text, tokens_receipt, tokens_text

# Reads a box: account, namespace, last hash, most messages, most bytes, clock (unix ms); gives the messages,
# and whether there are more.
Reads = Callable[[bytes, int, str, int, int, int], tuple[Sequence[Message], bool]]

_NEVER_MS: Final = 1 << 50  # in us it still fits into 64 bits with sign
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
        self._endpoint, self._ed, self._suite, self._rules = endpoint, ed, suite, rules
        self.use(nodes)
        # The answer of an empty box, and the millisecond it is of.
        self._nothing: tuple[int, Answer] = (0, (0, b"", True))
        self._paired: tuple[bytes, bytes] = (b"", b"")  # the last account and the Ed25519 key it belongs to
        self._version = rules.version_numbers
        self.hard_fork = b"[%d,%d]" % (rules.hard_fork, rules.hard_fork_revision)
        self._tolerance_ms = rules.store_tolerance_us // US_PER_MS
        self._window_ms = rules.signature_window_us // US_PER_MS
        self._ttl_ms = (rules.ttl_min_us // US_PER_MS, rules.ttl_max_inbox_us // US_PER_MS)
        self._ttl_max_private_ms = rules.ttl_max_private_us // US_PER_MS
        # Encrypted values of the names that the blockchain has, by the hash of the name.
        self.names: Mapping[bytes, tuple[bytes, bytes]] = {}
        # New messages since the last look, of accounts of which somebody wants to be told; see `_monitors`.
        self.news: list[StoreCall] = []
        self.watched: Collection[bytes] = ()
        self.store = MessageStore(
            cleanup_period_ms=rules.cleanup_period_us // US_PER_MS,
            disk_max_bytes=rules.disk_max_bytes,
            overhead_bytes=rules.message_overhead_bytes,
            newest_wins=rules.outbox_newest_wins,
            merge_prolongs=rules.merge_prolongs,
        )
        self.reads: Reads = self.store.retrieve
        self._revocations = Revocations(
            self.store, rules.revoked_max, need_messages=rules.revocations_need_messages
        )
        self._authority = Authority(suite, self._revocations)
        self._checks = Checks(self._authority, rules)

    def restart(self, disk_lost: bool) -> None:
        """Begin anew with what is on the disk. Args: disk_lost: nothing is."""
        self.news.clear()
        if disk_lost:
            self.store.clear()
            self._revocations.clear()

    def has_revoked(self, account: bytes, token: bytes) -> bool:
        """Say whether a token of a subaccount is revoked here."""
        return self._revocations.holds(account, token)

    def use(self, nodes: NodeList) -> None:
        """Take a node list, the first one or another one."""
        self._nodes = nodes
        self._swarm = nodes.swarm[self._endpoint]
        self._swarms = nodes.swarm_ids
        self._verdict = (b"", False)

    def answer(self, call: SimpleCall, now_ms: int) -> Answer:
        """Execute a call that concerns this node alone."""
        if type(call) is RetrieveCall:
            return self._retrieve(call, now_ms)
        if type(call) is SwarmCall:
            return 200, self._swarm_of(call.account, now_ms), True
        if type(call) is InfoCall:
            return 200, rpc_answers.info_body(self._version, now_ms, self.hard_fork), True
        if type(call) is GetExpiriesCall:
            return self._get_expiries(call, now_ms)
        if type(call) is RevokedCall:
            return self._revoked(call, now_ms)
        if type(call) is OxendCall:
            return oxend_answer(call, self._nodes, self._version, self.names, now_ms, self.hard_fork)
        assert type(call) is ActiveNodesCall
        # As text; only clients without an onion and without a batch around it get the bytes.
        blob = write_active_nodes(self._nodes, self._version)
        return 200, binascii.b2a_base64(blob, newline=False), False

    def refusal(
        self, call: StoreCall | RecursiveCall, now_ms: int, *, forwarded: bool = False
    ) -> Answer | None:
        """Say why a call that concerns the swarm is not executed; None if it is."""
        if type(call) is StoreCall:
            return self.refusal_of_store(call, now_ms)
        account = call.by.account  # type: ignore[union-attr]
        if not self.is_ours(account):
            return self._wrong_swarm(account, now_ms)
        return self._checks.refusal(call, now_ms, forwarded=forwarded)  # type: ignore[arg-type]

    def poll(self, call: PollCall, now_ms: int) -> Answer:
        """Execute a poll: what its parts have in common is checked once. As one by one (tested)."""
        account, ed25519, signed_ms, parts = call
        if not (
            self.is_ours(account)
            and abs(signed_ms - now_ms) <= self._window_ms
            and self._belongs(ed25519, account)
        ):
            return rpc_answers.batch_answer([self._retrieve(part, now_ms) for part in call.calls()])
        verify, is_empty = self._suite.verify, self.store.is_empty
        if self._nothing[0] != now_ms:
            self._nothing = now_ms, self._retrieved((), False, now_ms)
        nothing = self._nothing[1]
        answers, time = [], b"%d" % signed_ms
        for namespace, last_hash, size, signature in parts:
            if not verify(ed25519, signed_start("retrieve", namespace) + time, signature):
                answers.append(text_answer(401, "retrieve signature verification failed"))
            elif is_empty(account, namespace, now_ms):
                answers.append(nothing)
            else:
                answers.append(self._found(account, namespace, last_hash, 0, size, now_ms))
        return rpc_answers.batch_answer(answers)

    def idle_until_ms(
        self, account: bytes, cursors: Sequence[tuple[int, str]], now_ms: int, token: bytes = b""
    ) -> int | None:
        """Say until when this node has nothing new for a poll; None if it has, or refuses it.

        Args:
            cursors: namespace and last hash of each box that the poll reads.
            token: the subaccount that asks; empty for the account itself.

        Returns:
            Until when (unix ms) its answer stays the same but for the time in it, unless the account's
            messages change.
        """
        if not self.is_ours(account) or (token and self._revocations.holds(account, token)):
            return None
        until_ms = _NEVER_MS
        if not self.store.holds(account):
            return until_ms
        for namespace, last_hash in cursors:
            has_more, same_until_ms = self.store.has_after(account, namespace, last_hash, now_ms)
            if has_more:
                return None
            until_ms = min(until_ms, same_until_ms)
        return until_ms

    def idle_answer(
        self, boxes: int, now_ms: int, entries: Sequence[bytes] = (), again: Again | None = None
    ) -> Answer:
        """Give the answer to a poll of so many boxes, at least one, that this node has nothing new for.

        Args:
            entries: what the members of the swarm answer to an extension that goes with the poll.
            again: what it is given that it knows.
        """
        answers = [self._retrieved((), False, now_ms)] * boxes
        if again is not None:
            answers[again.place] = self._retrieved(again.messages, False, now_ms)
        if entries:
            named = {f"{number:064x}": entry for number, entry in enumerate(entries)}
            answers.append(rpc_answers.store_answer("", named, now_ms, self.hard_fork))
        return rpc_answers.batch_answer(answers)

    def refusal_of_store(self, call: StoreCall, now_ms: int) -> Answer | None:
        """Say why a store is not accepted; None if it is."""
        if not self.is_ours(call.account):
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
        by = Signer(call.account, call.ed25519, call.signature, call.subaccount)
        if not self._authority.allows(by, store_rights(call.namespace), text):
            return text_answer(401, "store signature verification failed")
        return None

    def run_own(self, call: StoreCall | RecursiveCall, now_ms: int) -> tuple[str, bytes]:
        """Execute a call at the node that was asked: the hash of a store that did not fail, and its entry."""
        if type(call) is StoreCall:
            return self.store_own(call, now_ms)
        fields, text = self._execute(call, now_ms)  # type: ignore[arg-type]
        return "", json_entry(fields, self._suite.sign(self._ed, text))

    def forwarded(self, payload: bytes, now_ms: int) -> tuple[int, bytes]:
        """Execute what another member forwarded: status and bytes of the answer. It goes no further."""
        try:
            call = read_forwarded(payload, self._rules.message_max_bytes)
        except Refused as refused:
            return refused.status, refused.text.encode()
        if type(call) is StoreCall:
            refusal = self.refusal_of_store(call, now_ms)
            return self._store_forwarded(call, now_ms) if refusal is None else refusal[:2]
        refusal = self.refusal(call, now_ms, forwarded=True)
        if refusal is not None:
            return refusal[:2]
        fields, text = self._execute(call, now_ms)  # type: ignore[arg-type]
        return 200, member_result(fields, self._suite.sign(self._ed, text))

    def _execute(self, call: RecursiveCall, now_ms: int) -> tuple[dict[str, Any], bytes]:
        """Change the store: fields of the node's part of the answer, and what it signs."""
        self.store.expire(now_ms)
        if type(call) is DeleteCall:
            return _deletes.delete(self.store, call)
        if type(call) is DeleteAllCall:
            return _deletes.delete_all(self.store, call)
        if type(call) is DeleteBeforeCall:
            return _deletes.delete_before(self.store, call)
        if type(call) is ExpireAllCall:
            return _expiries.expire_all(self.store, call)
        if type(call) is ExpireCall:
            return _expiries.expire(self.store, call, now_ms + self._ttl_max_private_ms)
        assert type(call) is RevokeCall
        account = call.by.account
        if self.store.on_change is not None:
            self.store.on_change(account)
        if call.undo:
            fields = {"count": self._revocations.undo(account, call.tokens)}
        else:
            added = self._revocations.revoke(account, call.tokens)
            fields = {"count": added} if self._rules.revoke_counts else {}
        return fields, tokens_receipt(account, call.timestamp_ms, call.tokens)

    def store_own(self, call: StoreCall, now_ms: int) -> tuple[str, bytes]:
        """Store at the node that was asked: the hash (empty if it failed) and its entry of the answer."""
        became, expiry_ms, signature = self._keep(call, now_ms)
        if became is Stored.FULL:
            return "", rpc_answers.own_failure(now_ms)
        already = became is Stored.ALREADY
        return call.hash, rpc_answers.own_entry(call.hash, signature, expiry_ms, already, now_ms)

    def _store_forwarded(self, call: StoreCall, now_ms: int) -> tuple[int, bytes]:
        became, expiry_ms, signature = self._keep(call, now_ms)
        if became is Stored.FULL:
            return (500 if self._rules.all_failed_is_500 else 200), rpc_answers.member_failure()
        return 200, rpc_answers.member_answer(call.hash, signature, expiry_ms, became is Stored.ALREADY)

    def _keep(self, call: StoreCall, now_ms: int) -> tuple[Stored, int, bytes]:
        account, namespace, timestamp_ms, expiry_ms, data, hash_ = call[:6]
        became, expiry_ms = self.store.store(account, namespace, hash_, timestamp_ms, expiry_ms, data, now_ms)
        if self.watched and became is Stored.NEW and account in self.watched:
            self.news.append(call)
        return became, expiry_ms, self._suite.sign(self._ed, hash_.encode())

    def _retrieve(self, call: RetrieveCall, now_ms: int) -> Answer:
        account, namespace, last_hash, max_count, size, ed25519, signature, signed_ms, subaccount = call
        known, ours = self._verdict
        if not (ours if known == account else self.is_ours(account)):
            return self._wrong_swarm(account, now_ms)
        if signature is not None:
            if abs(signed_ms - now_ms) > self._window_ms:
                return text_answer(406, "retrieve timestamp too far from current time")
            text = signed_text("retrieve", namespace, signed_ms)
            if subaccount is not None:
                by = Signer(account, ed25519, signature, subaccount)
                holds = self._authority.allows(by, READ, text, revocable=not is_unrevocable(namespace))
            else:
                holds = self._signature_holds(account, ed25519, text, signature)
            if not holds:
                return text_answer(401, "retrieve signature verification failed")
        elif not is_open_to_read(namespace):
            return text_answer(401, "retrieve: request signature required")
        return self._found(account, namespace, last_hash, max_count, size, now_ms)

    def _found(
        self, account: bytes, namespace: int, last_hash: str, max_count: int, size: int, now_ms: int
    ) -> Answer:
        """Read a box for somebody who may."""
        size = self.most_bytes(size, max_count)
        # A negative count asks for one message, as the real database reads it.
        count = 1 if max_count < 0 else max_count
        return self._retrieved(*self.reads(account, namespace, last_hash, count, size, now_ms), now_ms)

    def most_bytes(self, size: int, max_count: int = 0) -> int:
        """Give how many bytes a retrieve gives that asks for this."""
        most = self._rules.retrieve_max_bytes
        if size == 0 and max_count == 0:
            size = -self._rules.retrieve_share
        if size < 0:
            return most // -size
        return most if size == 0 or size > most else size

    def _retrieved(self, found: Sequence[Message], more: bool, now_ms: int) -> Answer:
        return 200, rpc_answers.retrieve_body(found, more, now_ms, self.hard_fork), True

    def _get_expiries(self, call: GetExpiriesCall, now_ms: int) -> Answer:
        account = call.by.account
        if not self.is_ours(account):
            return self._wrong_swarm(account, now_ms)
        if abs(call.timestamp_ms - now_ms) > self._window_ms:
            return text_answer(406, "get_expiries timestamp too far from current time")
        if not self._authority.allows(call.by, READ, expiries_text(call.timestamp_ms, call.messages)):
            return text_answer(401, "get_expiries signature verification failed")
        self.store.expire(now_ms)
        return object_answer({"expiries": _expiries.expiries(self.store, call)})

    def _revoked(self, call: RevokedCall, now_ms: int) -> Answer:
        account = call.by.account
        if not self.is_ours(account):
            return self._wrong_swarm(account, now_ms)
        if abs(call.timestamp_ms - now_ms) > self._window_ms:
            return text_answer(406, "revoked_subaccounts timestamp too far from current time")
        # The Ed25519 key of an 05 account is not looked at, so only other accounts can ask.
        by = call.by._replace(ed25519=None)
        if not self._authority.allows(by, 0, tokens_text("revoked_subaccounts", call.timestamp_ms, ())):
            return text_answer(401, "revoked_subaccounts signature verification failed")
        tokens = [
            binascii.b2a_base64(token, newline=False).decode() for token in self._revocations.of(account)
        ]
        return object_answer({"revoked_subaccounts": tokens, "t": now_ms}, self.hard_fork)

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

    def is_ours(self, account: bytes) -> bool:
        """Say whether this node's swarm keeps an account."""
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
