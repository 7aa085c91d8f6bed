"""Polling a group's swarm: a stream of its own for every group (client-behaviour 6.2).

The batch holds a signed retrieve per namespace and, where somebody extends the life of what the group stands
on, an `expire`. How long the pause is depends on the platform and on when the group was last active.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.client.groups import calls
from sessionsim.protocol.client.idling import Cursors, Extension, IdlePolls
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.polling import Polled, SwarmPoller
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.namespaces import (
    GROUP_INFO,
    GROUP_KEYS,
    GROUP_MEMBERS,
    GROUP_MESSAGES,
    REVOKED_RETRIEVABLE,
)
from sessionsim.protocol.wire import rpc, rpc_signed, rpc_write

if TYPE_CHECKING:
    from sessionsim.protocol.client.groups.rules import GroupRules
    from sessionsim.protocol.client.groups.standing import Standing
    from sessionsim.protocol.client.machine import Client

_POLL_NOTE: Final = note_of(Cause.POLL)
# Keys before what is encrypted with them; whether one is out, last. Source: session-android: GroupPoller.kt.
_READS: Final = (GROUP_KEYS, GROUP_INFO, GROUP_MEMBERS, GROUP_MESSAGES, REVOKED_RETRIEVABLE)


_MOST_DOUBLED: Final = 20  # more than any longest pause


class Listener(Protocol):
    """Who takes what a poll of a group brings."""

    def take(
        self, standing: Standing, namespace: int, messages: Sequence[rpc.Retrieved], now_us: int
    ) -> list[Effect]:
        """Take messages of one namespace, at least one; keys come before what is encrypted with them."""

    def polled(self, standing: Standing, now_us: int) -> list[Effect]:
        """Learn that a round is over."""


class GroupPoller(SwarmPoller):
    """Polls one group until it is stopped.

    Args:
        client: whose.
        rules: its platform's.
        standing: the group.
        listener: who takes what comes.
        known: hashes of the newest message of namespaces whose content the device had before the run.
    """

    def __init__(
        self,
        client: Client,
        rules: GroupRules,
        standing: Standing,
        listener: Listener,
        known: Mapping[int, str],
    ) -> None:
        reads = tuple(namespace for namespace in _READS if namespace in rules.namespaces)
        place = b"group" + standing.group_id + standing.tag.to_bytes(4, "little")
        super().__init__(
            client,
            Polled(
                standing.group_id, rules.namespaces, reads, rules.poll_node_choice, rules.poll_nodes, 1,
                Purpose.GROUP_POLL, _POLL_NOTE, place, standing.tag,
            ),
        )  # fmt: skip
        self._rules, self._standing, self._listener, self._known = rules, standing, listener, known
        self._place = place
        self._stopped = False
        self._empty = 0  # rounds in a row that brought nothing
        self._brought = False  # something, in the round under way
        # What the length of a body without cursors was measured for, and that length.
        self._measured: tuple[object, int] = (None, 0)
        if rules.poll_joint:
            self.rounds = client.rounds

    def start(self, now_us: int) -> list[Effect]:
        """Begin at a random moment of the first pause, or with the first round after it."""
        pause_us = self._poll_pause_us(now_us)
        first_us = now_us + number_at(self._client.entropy, self._place + b"phase", pause_us)
        if self.rounds is None:
            self._next_us = first_us
        else:
            self.rounds.join(self)
            self._polled_us = first_us - pause_us
        return []

    def start_now(self, now_us: int) -> list[Effect]:
        """Begin at once, or with the next round, as for a group that was just joined."""
        if self.rounds is None:
            return self._poll(now_us)
        self.rounds.join(self)
        self._polled_us = None
        return []

    def forget(self) -> None:
        """Ask every node for all it has from now on."""
        self._last_hash.clear()
        self._told.clear()
        self._known = {}
        self._heard += 1

    def stop(self) -> None:
        """Poll no more."""
        self._stopped, self._next_us = True, None
        if self.rounds is not None:
            self.rounds.leave(self)

    def _poll_body(self, node: int, now_us: int) -> bytes:
        style, standing, now_ms = self._client.body_style, self._standing, self._client.wire_ms(now_us)
        asker, hashes_of = standing.asker, dict(self._cursors(node))
        batch = []
        for namespace in self._rules.namespaces:
            is_messages = namespace == GROUP_MESSAGES
            last_hash = hashes_of[namespace]
            signature = standing.sign(rpc_signed.namespaced_text("retrieve", namespace, now_ms))
            max_size = self._rules.max_size_messages if is_messages else self._rules.max_size_others
            batch.append(
                rpc_write.signed_retrieve_call(
                    style, asker, namespace, last_hash, now_ms, signature, max_size
                )
            )
        hashes = self._to_extend(now_ms)
        if hashes:
            expiry_ms = now_ms + self._rules.extension_us // US_PER_MS
            batch.append(calls.extend(style, standing, hashes, expiry_ms))
        return rpc.batch_body(style, batch)

    def _to_extend(self, now_ms: int) -> list[str]:
        standing, who = self._standing, self._rules.extends
        if who == "nobody" or (who == "admins" and standing.admin is None):
            return []
        found = {name for config in standing.configs for name in config.active_hashes(now_ms)}
        return sorted(found | standing.ring.active_hashes)

    # --- idle polls ---------------------------------------------------------------------------------------

    def idle(self, until_us: int, now_us: int) -> IdlePolls | None:
        """Tell the polls to come, unless each of them makes the pause longer."""
        rules = self._rules
        if rules.poll_rule == "empties" and self._poll_pause_us(now_us) < rules.poll_quiet_us:
            return None
        return super().idle(until_us, now_us)

    @property
    def _known_before(self) -> Mapping[int, str]:
        return self._known

    def _body_bytes(self, cursors: Cursors) -> int:
        extended = self._to_extend(self._client.wire_ms(0))
        form = (self._standing.access, tuple(extended))
        if self._measured[0] != form:
            node = -1  # of which nothing is known
            empty = self._poll_body(node, 0)
            del self._told[node]
            self._measured = form, len(empty) - sum(map(len, self._known.values()))
        return self._measured[1] + sum([len(cursor) for _, cursor in cursors])

    def _extends(self, now_us: int) -> Extension | None:
        hashes = self._to_extend(self._client.wire_ms(now_us))
        return Extension(tuple(hashes), self._rules.extension_us) if hashes else None

    def _token(self) -> bytes:
        subaccount = self._standing.asker.subaccount
        return b"" if subaccount is None else subaccount.token

    def _poll_pause_us(self, now_us: int) -> int:
        """Give the pause before the next round (client-behaviour 6.2)."""
        rules = self._rules
        if rules.poll_rule == "retry":
            if not self._failures:
                return rules.poll_interval_us
            longer = rules.poll_interval_us + rules.poll_retry_step_us * self._failures
            return max(rules.poll_interval_us, min(longer, rules.poll_retry_cap_us))
        if rules.poll_rule == "empties":
            longer = rules.poll_interval_us + (US_PER_S << min(self._empty, _MOST_DOUBLED))
            return min(longer, rules.poll_quiet_us)
        quiet_us = now_us - self._standing.active_us
        if rules.poll_rule == "linear":
            share = min(quiet_us / rules.active_for_us, 1.0) if rules.active_for_us else 1.0
            return int(rules.poll_interval_us + share * (rules.poll_quiet_us - rules.poll_interval_us))
        if quiet_us < rules.active_for_us:
            return rules.poll_interval_us
        return rules.poll_middle_us if quiet_us < rules.middle_for_us else rules.poll_quiet_us

    def _take(self, namespace: int, messages: Sequence[rpc.Retrieved], now_us: int) -> list[Effect]:
        self._brought = True
        return self._listener.take(self._standing, namespace, messages, now_us) if not self._stopped else []

    def _round_done(self, now_us: int) -> list[Effect]:
        if self._polls_open == 0:
            brought, self._brought = self._brought, False
            self._empty = 0 if brought else self._empty + self._succeeded
        effects = super()._round_done(now_us)
        if self._stopped:
            self._next_us = None
        elif self._polls_open == 0:
            effects += self._listener.polled(self._standing, now_us)
        return effects
