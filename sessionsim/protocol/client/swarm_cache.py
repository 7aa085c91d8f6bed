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
from sessionsim.protocol.client.pool import directory_of
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_COUNT_BITS = 28  # room for the lookups of one account in an exchange number
_LOOKUP_NOTE = note_of(Cause.LOOKUP)
Found = Callable[[tuple[int, ...], int], list[Effect]]


class SwarmCache:
    """The swarms one client knows. Args: client: whose; nodes: the node list."""

    def __init__(self, client: Client, nodes: NodeList) -> None:
        self._client, self._pool, self._directory = client, client.requests.pool, directory_of(nodes)
        self._computes = client.rules.swarm_lookup == "compute"
        self._version = self._pool.version  # of the node list that what is known was checked against
        self._known: dict[bytes, tuple[int, ...]] = {}
        self._waiting: dict[bytes, list[Found]] = {}
        # Lookups are numbered by account and try, accounts in the order in which they are first asked for,
        # the own one ahead: so what happens to one account's lookups shifts no draw of another's.
        self._accounts: dict[bytes, int] = {client.account.id: 0}
        self._lookups: dict[bytes, int] = {}

    def find(self, account_id: bytes, now_us: int, found: Found) -> list[Effect]:
        """Call `found(nodes, now_us)` with the swarm, now or after asking; with () when nobody tells it."""
        if self._version != self._pool.version:
            self._check()
        known = self._known.get(account_id)
        if known is None and self._computes:
            listing = self._pool.listing
            swarm = nearest_swarm(swarm_position(account_id[1:]), listing.swarm_ids)
            known = self._known[account_id] = listing.members[swarm] if swarm is not None else ()
        if known is not None:
            return found(known, now_us)
        waiting = self._waiting.setdefault(account_id, [])
        waiting.append(found)
        return self._look_up(account_id, 0, now_us) if len(waiting) == 1 else []

    def known(self, account_id: bytes) -> tuple[int, ...]:
        """Give a swarm that would be used without asking; () if there is none."""
        return self._known.get(account_id, ()) if self._version == self._pool.version else ()

    def _look_up(self, account_id: bytes, tries: int, now_us: int) -> list[Effect]:
        count = self._lookups.get(account_id, 0)
        self._lookups[account_id] = count + 1
        number = self._accounts.setdefault(account_id, len(self._accounts)) << _COUNT_BITS | count
        return [self._ask(account_id, tries, number, now_us)]

    def _ask(self, account_id: bytes, tries: int, number: int, now_us: int) -> Effect:
        """Ask a random node; wait for one if none is known yet."""
        requests, style = self._client.requests, self._client.body_style
        exchange = number << 4 | Purpose.LOOKUP

        def done(status: int, answer: bytes, t_us: int) -> list[Effect]:
            return self._answered(account_id, tries, status, answer, t_us)

        node = self._pool.pick(self._client.entropy, b"lookup" + number.to_bytes(8, "little"))
        if node is None:
            return requests.hold(
                exchange, now_us, done, lambda t_us: self._ask(account_id, tries, number, t_us)
            )
        body = rpc.request_body(style, rpc.get_swarm_call(style, account_id.hex()))
        return requests.send(exchange, node, body, _LOOKUP_NOTE, now_us, done)

    def _answered(self, account_id: bytes, tries: int, status: int, body: bytes, now_us: int) -> list[Effect]:
        swarm = self._read(body) if status == 200 else ()
        if not swarm and tries + 1 < self._client.rules.lookup_tries:
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

    def _check(self) -> None:
        """Drop what a change of the node list has made doubtful.

        Where swarms are computed, they are computed anew. Otherwise of a known swarm those nodes count that
        are still in use; with too few the swarm is asked for again. Source: session-desktop:
        snodePool.ts (getSwarmFor); libsession-util: src/network/snode_pool.cpp (_update_cache).
        """
        self._version = self._pool.version
        if self._computes:
            self._known.clear()
            return
        for account_id, swarm in list(self._known.items()):
            good = tuple(node for node in swarm if node in self._pool)
            if len(good) >= self._client.rules.swarm_minimum:
                self._known[account_id] = good
            else:
                del self._known[account_id]

    def _read(self, body: bytes) -> tuple[int, ...]:
        try:
            return self._swarm_in(rpc.read_object(body))
        except RemoteProtocolError:
            return ()

    def _swarm_in(self, fields: dict[str, Any]) -> tuple[int, ...]:
        """Read the nodes of a get_swarm or 421 body, each once, as far as they stand in our node list."""
        find = self._directory.get
        try:
            found = dict.fromkeys(find(key, -1) for key in rpc.read_swarm(fields))
            nodes = tuple(node for node in found if node in self._pool)
        except RemoteProtocolError:
            return ()
        return nodes if len(nodes) >= self._client.rules.swarm_minimum else ()
