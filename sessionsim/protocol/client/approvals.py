"""Who has accepted whom as a contact, as one device of an account knows it (client-behaviour 6.3).

An account accepts somebody by writing to them or by saying yes to their message request; it takes whoever
wrote to it, or said yes to its own request, to have accepted it. Between two accounts where only one side has
accepted, there is a message request: outgoing for that side, incoming for the other. A refusal takes the
request back, so that the next text is one again, or blocks its writer. Other devices of the account learn of
all this from the contacts config.
Sources: session-desktop: ts/models/conversation.ts (isIncomingRequest, isOutgoingRequest,
addSingleIncomingMessage); session-android: .../utilities/UpsertContact, MessageRequestResponseHandler.kt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sessionsim.protocol.machine import Effect

# Told that something about a contact has changed: its id (33 bytes) and the time in µs.
Changed = Callable[[bytes, int], list[Effect]]
# Told that a request is refused: the wish, whose request it is, whether they are blocked, the time in µs.
Refused = Callable[[int, bytes, bool, int], list[Effect]]


class Approvals:
    """What one device knows.

    Args:
        given: ids (33 bytes) of those whom the account has accepted.
        got: ids of those who have accepted the account.
    """

    def __init__(self, given: Iterable[bytes] = (), got: Iterable[bytes] = ()) -> None:
        self._given, self._got, self._blocked = set(given), set(got), set[bytes]()
        self.changed: Changed | None = None
        self.refused: Refused | None = None

    def has_given(self, other_id: bytes) -> bool:
        """Say whether the account has accepted somebody."""
        return other_id in self._given

    def has_got(self, other_id: bytes) -> bool:
        """Say whether somebody has accepted the account."""
        return other_id in self._got

    def has_blocked(self, other_id: bytes) -> bool:
        """Say whether the account has blocked somebody."""
        return other_id in self._blocked

    def refuse(self, ref: int, other_id: bytes, blocks: bool, now_us: int) -> list[Effect]:
        """Refuse somebody's request. Args: ref: the wish; blocks: and hear no more of them."""
        self.forget(other_id)
        if blocks:
            self._blocked.add(other_id)
        return self.refused(ref, other_id, blocks, now_us) if self.refused is not None else []

    def forget(self, other_id: bytes) -> None:
        """Stand to somebody as to one who never wrote."""
        for known in (self._given, self._got, self._blocked):
            known.discard(other_id)

    def give(self, other_id: bytes, now_us: int) -> list[Effect]:
        """Accept somebody; nothing if that was done before."""
        return self._enter(self._given, other_id, now_us)

    def get(self, other_id: bytes, now_us: int) -> list[Effect]:
        """Take it that somebody has accepted the account."""
        return self._enter(self._got, other_id, now_us)

    def follow(self, other_id: bytes, *, given: bool, got: bool, blocked: bool = False) -> None:
        """Take over what another device has written down; nobody takes back a yes here, but by a refusal."""
        if blocked:
            self.forget(other_id)
            self._blocked.add(other_id)
        if given:
            self._given.add(other_id)
        if got:
            self._got.add(other_id)

    def _enter(self, known: set[bytes], other_id: bytes, now_us: int) -> list[Effect]:
        if other_id in known:
            return []
        known.add(other_id)
        return self.changed(other_id, now_us) if self.changed is not None else []
