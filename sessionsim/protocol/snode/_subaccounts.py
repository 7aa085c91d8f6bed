"""Which tokens of subaccounts are revoked, and whose signature counts on this node (transport 5.2)."""

from __future__ import annotations

from collections.abc import Iterable

from sessionsim.protocol.authorisation import is_authorised
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.storage import MessageStore
from sessionsim.protocol.wire.rpc_calls import Signer


class Revocations:
    """The revoked tokens of one node.

    Args:
        store: the node's messages.
        most: tokens remembered per account; those revoked longest ago go first.
        need_messages: remember tokens only while their account has messages.
    """

    def __init__(self, store: MessageStore, most: int, *, need_messages: bool) -> None:
        self._store, self._most, self._need_messages = store, most, need_messages
        # In order of revocation.
        self._tokens: dict[bytes, dict[bytes, None]] = {}
        if need_messages:
            store.on_gone = self._forget

    def revoke(self, account: bytes, tokens: Iterable[bytes]) -> int:
        """Revoke tokens, anew if they already are; give how many were not."""
        if self._need_messages and not self._store.holds(account):
            return 0
        held = self._tokens.setdefault(account, {})
        added = 0
        for token in tokens:
            added += token not in held
            held.pop(token, None)
            held[token] = None
        for token in list(held)[: -self._most]:
            del held[token]
        if not held:
            del self._tokens[account]
        return added

    def undo(self, account: bytes, tokens: Iterable[bytes]) -> int:
        """Let tokens count again; give how many were revoked."""
        held = self._tokens.get(account, {})
        found = [token for token in dict.fromkeys(tokens) if token in held]
        for token in found:
            del held[token]
        if not held:
            self._tokens.pop(account, None)
        return len(found)

    def _forget(self, account: bytes) -> None:
        self._tokens.pop(account, None)

    def clear(self) -> None:
        """Forget all, with the disk they lie on."""
        self._tokens.clear()

    def holds(self, account: bytes, token: bytes) -> bool:
        """Say whether a token is revoked."""
        return token in self._tokens.get(account, ())

    def of(self, account: bytes) -> list[bytes]:
        """List an account's revoked tokens by their bytes, as the real table does."""
        return sorted(self._tokens.get(account, ()))


class Authority:
    """Says who may make a request. Args: suite: cryptography; revocations: tokens that no longer count."""

    def __init__(self, suite: Suite, revocations: Revocations) -> None:
        self._suite, self._revocations = suite, revocations

    def allows(self, by: Signer, rights: int, text: bytes, *, revocable: bool = True) -> bool:
        """Say whether a text is signed by the owner or by a subaccount with these rights.

        Args:
            by: account, keys and signature.
            rights: what the request needs of a subaccount, added up.
            text: what is signed.
            revocable: revoked tokens are refused.
        """
        subaccount = by.subaccount
        if subaccount is not None and revocable and self._revocations.holds(by.account, subaccount.token):
            return False
        return is_authorised(self._suite, by.account, by.ed25519, subaccount, rights, text, by.signature)
