"""Why a recursive call is refused: swarm and store aside, windows of time and signatures (transport 5.2).

Order, codes and texts are those of session-storage-server: oxenss/rpc/request_handler.cpp. Where it answers
401 to a time that is out of bounds, and calls `delete` `delete_msgs`, so do we.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.authorisation import DELETE, WRITE
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode._subaccounts import Authority
from sessionsim.protocol.wire import rpc_signed
from sessionsim.protocol.wire.rpc_answers import Answer, text_answer
from sessionsim.protocol.wire.rpc_calls import (
    DeleteAllCall,
    DeleteBeforeCall,
    DeleteCall,
    ExpireAllCall,
    ExpireCall,
    RecursiveCall,
    RevokeCall,
)

# Hard fork from which on 2.8 takes lists of expiries. Source: transport 5.2.
_LISTS_FORK: Final = (19, 4)
_MAY_NOT_SHORTEN: Final = (
    "expire: shorten parameter cannot be used with this subaccount token (missing delete access)"
)


class Checks:
    """What stands before the execution of a recursive call. Args: authority: whose signature counts."""

    def __init__(self, authority: Authority, rules: NodeRules) -> None:
        self._authority = authority
        self._window_ms = rules.signature_window_us // US_PER_MS
        self._forwarded_ms = rules.forwarded_window_us // US_PER_MS
        self._before_ms = rules.before_ahead_us // US_PER_MS
        self._expire_ms = rules.expire_behind_us // US_PER_MS
        fork = (rules.hard_fork, rules.hard_fork_revision)
        self._takes_lists = not rules.expiry_lists_from_19_4 or fork >= _LISTS_FORK

    def refusal(self, call: RecursiveCall, now_ms: int, *, forwarded: bool) -> Answer | None:
        """Say why a call is not executed; None if it is.

        Args:
            call: any but a store.
            now_ms: the node's clock, unix ms.
            forwarded: another member passed it on.
        """
        if type(call) is DeleteCall:
            return self._unsigned(
                call, DELETE, rpc_signed.delete_text(call.messages), "delete_msgs signature"
            )
        if type(call) is ExpireCall:
            return self._expire(call, now_ms)
        if type(call) is RevokeCall:
            return self._revoke(call, now_ms)
        window_ms = self._forwarded_ms if forwarded else self._window_ms
        if type(call) is DeleteAllCall:
            if abs(call.timestamp_ms - now_ms) > window_ms:
                return text_answer(406, "delete_all timestamp too far from current time")
            return self._swept(call, "delete_all", call.namespace, call.timestamp_ms)
        if type(call) is DeleteBeforeCall:
            if call.before_ms > now_ms + self._before_ms:
                return text_answer(401, "delete_before timestamp too far in the future")
            return self._swept(call, "delete_before", call.namespace, call.before_ms)
        assert type(call) is ExpireAllCall
        if call.expiry_ms < now_ms - window_ms:
            return text_answer(406, "expire_all timestamp should be >= current time")
        return self._swept(call, "expire_all", call.namespace, call.expiry_ms)

    def _swept(
        self,
        call: DeleteAllCall | DeleteBeforeCall | ExpireAllCall,
        method: str,
        namespace: int | None,
        number: int,
    ) -> Answer | None:
        text = rpc_signed.namespaced_text(method, namespace, number)
        return self._unsigned(call, DELETE, text, f"{method} signature")

    def _expire(self, call: ExpireCall, now_ms: int) -> Answer | None:
        if min(call.expiries_ms) < now_ms - self._expire_ms:
            return text_answer(401, "expire: timestamp should be >= current time")
        if len(call.expiries_ms) > 1 and not self._takes_lists:
            return text_answer(403, "expire: multi-expiry requests are not yet active on the network")
        text = rpc_signed.expire_text(call.mode, call.expiries_ms, call.messages)
        refusal = self._unsigned(call, WRITE, text, "expire: signature")
        subaccount = call.by.subaccount
        if refusal is not None or subaccount is None or call.mode != "shorten" or subaccount.flags & DELETE:
            return refusal
        return text_answer(400, _MAY_NOT_SHORTEN)

    def _revoke(self, call: RevokeCall, now_ms: int) -> Answer | None:
        method = "unrevoke_subaccount" if call.undo else "revoke_subaccount"
        if abs(call.timestamp_ms - now_ms) > self._window_ms:
            return text_answer(406, f"{method} timestamp too far from current time")
        # No token is looked at, so only the owner can have signed.
        text = rpc_signed.tokens_text(method, call.timestamp_ms, call.tokens)
        return self._unsigned(call, 0, text, f"{method} signature")

    def _unsigned(self, call: RecursiveCall, rights: int, text: bytes, what: str) -> Answer | None:
        if self._authority.allows(call.by, rights, text):
            return None
        return text_answer(401, f"{what} verification failed")
