"""Which nodes hold an account: asked of a random node and cached, or computed from the node list.

Old clients (desktop, Android) send `get_swarm` for the account over an onion path to a random node and keep
the answer; iOS computes it (transport 2.4). A 421 answer carries the right swarm and replaces the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

LOOKUP_TRIES = 9  # Source: transport 4: desktop makes 3×3 tries
MINIMUM_SWARM = 3  # Source: transport 4: the smallest swarm a client accepts

_COUNT_BITS = 28  # room for the lookups of one account in an exchange number
_LOOKUP_NOTE = note_of(Cause.LOOKUP)
Found = Callable[[tuple[int, ...], int], list[Effect]]


class SwarmCache:
    """The swarms one client knows. Args: client: whose; nodes: the node list."""

    def __init__(self, client: Client, nodes: NodeList) -> None:
        self._client, self._nodes = client, nodes
        self._swarm_ids = sorted(nodes.members)
        self._known: dict[bytes, tuple[int, ...]] = {}
        self._waiting: dict[bytes, list[Found]] = {}
        # Lookups are numbered by account and try, accounts in the order in which they are first asked for,
        # the own one ahead: so what happens to one account's lookups shifts no draw of another's.
        self._accounts: dict[bytes, int] = {client.account.id: 0}
        self._lookups: dict[bytes, int] = {}

    def find(self, account_id: bytes, now_us: int, found: Found) -> list[Effect]:
        """Call `found(nodes, now_us)` with the swarm, now or after asking; with () when nobody tells it."""
        known = self._known.get(account_id)
        if known is None and self._client.rules.swarm_lookup == "compute":
            swarm = nearest_swarm(swarm_position(account_id[1:]), self._swarm_ids)
            known = self._known[account_id] = self._nodes.members[swarm] if swarm is not None else ()
        if known is not None:
            return found(known, now_us)
        waiting = self._waiting.setdefault(account_id, [])
        waiting.append(found)
        return self._look_up(account_id, 0, now_us) if len(waiting) == 1 else []

    def _look_up(self, account_id: bytes, tries: int, now_us: int) -> list[Effect]:
        count = self._lookups.get(account_id, 0)
        self._lookups[account_id] = count + 1
        number = self._accounts.setdefault(account_id, len(self._accounts)) << _COUNT_BITS | count
        there = self._nodes.active
        node = there[number_at(self._client.entropy, b"lookup" + number.to_bytes(8, "little"), len(there))]
        style = self._client.body_style
        body = rpc.request_body(style, rpc.get_swarm_call(style, account_id.hex()))
        return [
            self._client.requests.send(
                number << 4 | Purpose.LOOKUP, node, body, _LOOKUP_NOTE, now_us,
                lambda status, answer, t_us: self._answered(account_id, tries, status, answer, t_us),
            )
        ]  # fmt: skip

    def _answered(self, account_id: bytes, tries: int, status: int, body: bytes, now_us: int) -> list[Effect]:
        swarm = self._read(body) if status == 200 else ()
        if not swarm and tries + 1 < LOOKUP_TRIES:
            return self._look_up(account_id, tries + 1, now_us)
        if swarm:
            self._known[account_id] = swarm
        effects: list[Effect] = []
        for found in self._waiting.pop(account_id, []):
            effects += found(swarm, now_us)
        return effects

    def correct(self, account_id: bytes, fields: dict[str, Any]) -> None:
        """Replace a cached swarm by the one a 421 answer names; forget it if that names none we know."""
        swarm = self._swarm_in(fields)
        if swarm:
            self._known[account_id] = swarm
        else:
            self._known.pop(account_id, None)

    def _read(self, body: bytes) -> tuple[int, ...]:
        try:
            return self._swarm_in(rpc.read_object(body))
        except RemoteProtocolError:
            return ()

    def _swarm_in(self, fields: dict[str, Any]) -> tuple[int, ...]:
        """Read the nodes of a get_swarm or 421 body, each once, as far as they stand in our node list."""
        index = self._nodes.index
        try:
            nodes = tuple(dict.fromkeys(index[key] for key in rpc.read_swarm(fields) if key in index))
        except RemoteProtocolError:
            return ()
        return nodes if len(nodes) >= MINIMUM_SWARM else ()
