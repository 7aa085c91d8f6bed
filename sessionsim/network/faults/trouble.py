"""The state of machines and links while a plan is carried out; the host asks it and nobody else does.

What whoever asks a crashed machine lives through: a program that died has its host refuse new TCP connections
and break open ones, which takes half a round trip to be known; QUIC, and a host that is off, are silent. A
QUIC client gives up opening a connection after its handshake time-out. OxenMQ tells nobody of a broken
connection, which is the business of the node machine (`ServiceNode.failed`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sessionsim.core.columns import Transport
from sessionsim.core.seeds import mix
from sessionsim.core.units import US_PER_S
from sessionsim.network.capacity import Capacity
from sessionsim.network.faults.passage import RTO_MARGIN_US, RTO_OPENING_US, Passage, duration_us
from sessionsim.network.faults.plan import Answer, Extra, Plan, Turn, What
from sessionsim.network.kernels import ARRIVE, COMMAND, START, Entry

if TYPE_CHECKING:
    from sessionsim.network.interference import Meddler

QUIC_HANDSHAKE_TIMEOUT_US: Final = 3 * US_PER_S  # Source: transport 3.6
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport
_QUIC, _HTTPS = int(Transport.QUIC), int(Transport.HTTPS)
_OPENING: Final = 0x6F70656E  # where the draws of an opening lie
# Commands that say how something is from now on, so that the last counts; those to nodes all do.
_STANDING: Final = frozenset({"clock", "foreground", "online"})
_PASSING: Final = frozenset({"call-media"})  # what a device that is down will not make up for
NEVER: Final = -1

# Of a request that waits at a machine: who asked, connection, exchange, draw address, note.
Open = tuple[int, int, int, int, int]


def _holds_back(command: tuple[Any, ...]) -> bool:
    return command[0] in _STANDING and command[1] is False


class Trouble:
    """What is wrong just now.

    Args:
        plan: what changes when.
        n_machines: endpoints.
        n_nodes, n_told: nodes come first, clients after them; both take commands. Servers, behind the first
            `n_told`, do not, and have all they need on their disks.
        capacity: how much work nodes and servers can do; None for any.
        meddler: who interferes; None for nobody.

    `crashed` has an `Answer` per endpoint, `hung_until_us` until when it hangs.
    """

    def __init__(
        self,
        plan: Plan,
        n_machines: int,
        n_nodes: int,
        n_told: int,
        capacity: Capacity | None = None,
        meddler: Meddler | None = None,
    ) -> None:
        self.plan, self._n_nodes, self._n_told = plan, n_nodes, n_told
        self.capacity, self.meddler = capacity, meddler
        self.crashed = bytearray(n_machines)
        self.hung_until_us = [0] * n_machines
        # What a crashed machine gets when it starts again: by kind, or numbered where all of a kind count.
        self._missed: dict[int, dict[str | int, Entry]] = defaultdict(dict)
        self._passage = Passage(plan)
        self._down: dict[int, int] = defaultdict(int)  # how many crashes lie on one another
        self._disk_lost: set[int] = set()
        self._full: dict[int, int] = defaultdict(int)
        self._ahead_us: dict[int, int] = defaultdict(int)
        self._slowed: dict[int, list[Extra]] = defaultdict(list)
        self._afflicted: frozenset[int] | None = None  # as far as known since the last change
        self._waiting: dict[int, dict[tuple[int, int, int], Open]] = defaultdict(dict)

    def turn(self, turn: Turn) -> list[tuple[Any, ...]]:
        """Carry out a change. Returns what the host has to put into its queue at once, without the time."""
        self._afflicted = None
        entries = self._carry_out(turn)
        return [entry for entry in entries if entry[0] != COMMAND or entry[1] < self._n_told]

    def _carry_out(self, turn: Turn) -> list[tuple[Any, ...]]:
        _, endpoint, what, value = turn
        if what == What.WAY_BEGINS:
            self._passage.begin(value)
        elif what == What.WAY_ENDS:
            self._passage.end(value)
        elif what == What.CRASHES:
            self._down[endpoint] += 1
            self.crashed[endpoint] = max(self.crashed[endpoint], value)
            self.hung_until_us[endpoint] = 0
        elif what == What.STARTS:
            return self._start(endpoint, value)
        elif what == What.HANGS:
            self.hung_until_us[endpoint] = max(self.hung_until_us[endpoint], value)
        elif what == What.SLOWS:
            self._slowed[endpoint].append(value)
        elif what == What.SPEEDS_UP:
            self._slowed[endpoint].remove(value)
        elif what == What.CLOCK_MOVES:
            self._ahead_us[endpoint] += value
            return [(COMMAND, endpoint, ("clock", self._ahead_us[endpoint]))]
        else:
            self._full[endpoint] += 1 if what == What.DISK_FILLS else -1
            return [(COMMAND, endpoint, ("disk", self._full[endpoint] > 0))]
        return []

    def _start(self, endpoint: int, disk_lost: bool) -> list[tuple[Any, ...]]:
        self._down[endpoint] -= 1
        if disk_lost:
            self._disk_lost.add(endpoint)
        if self._down[endpoint]:
            return []
        self.crashed[endpoint] = Answer.UP
        missed = self._missed.pop(endpoint, {})
        lost = endpoint in self._disk_lost
        self._disk_lost.discard(endpoint)
        start = missed.pop("start", None)
        entries = [entry[3:] for entry in missed.values()]
        if start is not None:
            return [start[3:], *entries]
        # A device that is offline or in the background by now does not come back in front first.
        ahead = [entry for entry in entries if endpoint >= self._n_nodes and _holds_back(entry[2])]
        restart = (COMMAND, endpoint, ("restart", lost))
        return [*ahead, restart, *(entry for entry in entries if entry not in ahead)]

    def afflicted(self, now_us: int) -> frozenset[int] | None:
        """Give the endpoints with which something is wrong; None if that may be all of them."""
        struck = self._passage.struck()
        if struck is None or self.capacity is not None:
            return None
        if self._afflicted is None:
            crashed = {endpoint for endpoint, answer in enumerate(self.crashed) if answer}
            hung = {endpoint for endpoint, until_us in enumerate(self.hung_until_us) if until_us > now_us}
            slow = {endpoint for endpoint, extras in self._slowed.items() if extras}
            wrong = {endpoint for endpoint, ahead_us in self._ahead_us.items() if ahead_us}
            self._afflicted = struck.union(crashed, hung, slow, wrong)
        return self._afflicted

    # --- what a machine lives through ---------------------------------------------------------------------

    def miss(self, entry: Entry) -> None:
        """Keep what a crashed machine has to be told when it starts.

        Of what says how something is from now on the last, of what people want of their devices all.
        """
        kind, endpoint = entry[3], entry[4]
        if kind == START:
            self._missed[endpoint]["start"] = entry
        elif kind == COMMAND:
            missed, name = self._missed[endpoint], entry[5][0]
            if endpoint < self._n_nodes or name in _STANDING:
                missed[name] = entry
            elif name not in _PASSING:
                missed[len(missed)] = entry

    def unheard(self) -> Iterator[tuple[Any, ...]]:
        """Give the commands that wait for machines that are down, by machine and time."""
        for endpoint in sorted(self._missed):
            yield from (entry[5] for entry in self._missed[endpoint].values() if entry[3] == COMMAND)

    def refuses(self, endpoint: int, conn: int) -> bool:
        """Say whether a crashed machine's host refuses what comes over a connection."""
        return self.crashed[endpoint] == Answer.REFUSED and conn & _TRANSPORT != _QUIC

    def asked(self, entry: Entry) -> None:
        """Note that a request has reached a machine, if its sender would notice that the machine dies."""
        kind, dst, src, conn, exchange, head, _, trace, note = entry[3:]
        if kind == ARRIVE and conn & _TRANSPORT == _HTTPS and type(head) is str:
            self._waiting[dst][src, conn, exchange] = (src, conn, exchange, trace, note)

    def answered(self, src: int, dst: int, conn: int, exchange: int) -> None:
        """Note that a machine has answered."""
        waiting = self._waiting.get(src)
        if waiting:
            waiting.pop((dst, conn, exchange), None)

    def cut_off(self, endpoint: int) -> list[Open]:
        """Take the requests whose senders notice that a machine has just died."""
        waiting = list(self._waiting.pop(endpoint, {}).values())
        return waiting if self.crashed[endpoint] == Answer.REFUSED else []

    # --- what a transmission lives through ----------------------------------------------------------------

    def lag_us(self, src: int, draw: int, now_us: int) -> int:
        """Give how much later a transmission leaves a slow or busy machine."""
        extras = self._slowed.get(src)
        slow_us = sum(duration_us(extra, draw) for extra in extras) if extras else 0
        return slow_us if self.capacity is None else slow_us + self.capacity.lag_us(src, now_us)

    def passage_us(
        self, src: int, dst: int, sent_us: int, rtt_us: int, segments: int, draw: int
    ) -> int | None:
        """Give how much longer a transmission takes; None if it never arrives."""
        return self._passage.extra_us(src, dst, sent_us, rtt_us + RTO_MARGIN_US, segments, draw)

    def opening(self, src: int, dst: int, conn: int, t_us: int, rtt_us: int, draw: int) -> tuple[int, str]:
        """Say what comes of opening a connection at `t_us`.

        Returns:
            How much longer it takes and no text; or after how long it fails and why; or NEVER.
        """
        is_quic = conn & _TRANSPORT == _QUIC
        if self.refuses(dst, conn):
            return rtt_us, "refused"
        longer_us = None
        if not self.crashed[dst]:
            longer_us = self._passage.extra_us(src, dst, t_us, RTO_OPENING_US, 1, mix(draw, _OPENING))
        if is_quic and (longer_us is None or longer_us > QUIC_HANDSHAKE_TIMEOUT_US):
            return QUIC_HANDSHAKE_TIMEOUT_US, "unreachable"
        return (NEVER, "") if longer_us is None else (longer_us, "")
