"""What a sender knows of other accounts' keys, and what it does with a message meanwhile (protocol-v2 6).

    state     keys fetched         a message              fetch
    fresh     less than 24 h ago   under the keys         no
    stale     24 h to 48 h ago     under the keys         in the background
    expired   longer ago           waits (hole H4)        yes
    refused   a fetch found none   falls back at once     not within 1 h
    none      never                waits (hole H4)        yes

Keys that are held stay usable when a later fetch finds none, as the public schema says (nak_at may stand
beside keys). Whether such a refusal also stops the fetches of the next hour is told in two ways: the table of
protocol-v2 6 makes no difference, so it does here; the public code looks at a refusal only where no keys are
held (`V2Rules.refusal_beside_keys`). It matters only for accounts that publish keys and stop doing so.

A message that has waited long enough is sent without keys. Opening a conversation asks the same question, so
that the keys are there when the message is written. Fetches themselves, and that each account has at most one
under way, are the client's. All times are µs on one clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, NamedTuple

from sessionsim.protocol.v2.keys import PublicKeys
from sessionsim.protocol.v2.rules import PUBLIC, V2Rules


class KeyState(Enum):
    """How good the knowledge of an account's keys is."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"
    REFUSED = "refused"
    NONE = "none"


class Plan(NamedTuple):
    """What to do with a message.

    Args:
        state: of the recipient's keys.
        keys: to encrypt to, at once; None if there are none to use.
        fetch: whether to fetch keys, unless a fetch is under way.
        wait: whether the message waits for the fetch, for `V2Rules.key_wait_us` at most. Without keys and
            without waiting it falls back at once.
    """

    state: KeyState
    keys: PublicKeys | None
    fetch: bool
    wait: bool


@dataclass(frozen=True, slots=True)
class _Known:
    keys: PublicKeys | None = None
    fetched_us: int = 0
    refused_us: int | None = None


_UNKNOWN: Final = _Known()


class KeyCache:
    """The keys of other accounts that one client has fetched."""

    def __init__(self, rules: V2Rules = PUBLIC) -> None:
        self._rules = rules
        self._known: dict[bytes, _Known] = {}

    def state(self, account_id: bytes, now_us: int) -> KeyState:
        """Say how good the knowledge of an account's keys is."""
        known, rules = self._known.get(account_id, _UNKNOWN), self._rules
        if known.keys is not None:
            age_us = now_us - known.fetched_us
            if age_us < rules.keys_fresh_us:
                return KeyState.FRESH
            if age_us <= rules.keys_usable_us:
                return KeyState.STALE
        if self._refused(known, now_us):
            return KeyState.REFUSED
        return KeyState.NONE if known.keys is None else KeyState.EXPIRED

    def plan(self, account_id: bytes, now_us: int) -> Plan:
        """Decide for a message that is to go out now, or for a conversation that is opened.

        With `cache_enforce_expiry` off, old keys are used like stale ones, as the code that we read does.
        """
        state = self.state(account_id, now_us)
        if state is KeyState.FRESH:
            return Plan(state, self._known[account_id].keys, False, False)
        known = self._known.get(account_id, _UNKNOWN)
        fetch = not self._refused(known, now_us)
        usable = state is KeyState.STALE or not self._rules.cache_enforce_expiry
        if usable and known.keys is not None:
            return Plan(state, known.keys, fetch, False)
        return Plan(state, None, fetch, fetch and self._rules.key_wait_us > 0)

    def fetched(self, account_id: bytes, keys: PublicKeys | None, now_us: int) -> None:
        """Note what a fetch found: valid keys, or none. One that got no answer changes nothing."""
        known = self._known.get(account_id, _UNKNOWN)
        if keys is None:
            self._known[account_id] = replace(known, refused_us=now_us)
        else:
            self._known[account_id] = _Known(keys, now_us, known.refused_us)

    def _refused(self, known: _Known, now_us: int) -> bool:
        if known.keys is not None and self._rules.refusal_beside_keys == "ask-again":
            return False
        return known.refused_us is not None and now_us - known.refused_us < self._rules.keys_refused_us
