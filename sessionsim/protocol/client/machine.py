"""The client machine: routes inputs to its parts, and answers to the requests that await them.

One machine for all platforms; what differs are `ClientRules`. What a client can do lies in parts (see
`parts`): polling the own inbox, sending direct texts, and whatever a run needs beside these. The machine
holds what all of them share: the account, paths and requests, known swarms, and one alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.client.clock import Clock
from sessionsim.protocol.client.idling import NEVER_US, Extension, IdlePolls, Skip
from sessionsim.protocol.client.inbox import Inbox
from sessionsim.protocol.client.node_list import NodeListKeeper
from sessionsim.protocol.client.outbox import Outbox
from sessionsim.protocol.client.parts import (
    Handler,
    Listener,
    OtherPolls,
    Pacing,
    Part,
    Reader,
    ReadToEnd,
    Taker,
)
from sessionsim.protocol.client.path_building import Builder
from sessionsim.protocol.client.polling import Poller
from sessionsim.protocol.client.presence import Presence
from sessionsim.protocol.client.requests import Requests
from sessionsim.protocol.client.restarts import Restarts
from sessionsim.protocol.client.rotation import Rotation
from sessionsim.protocol.client.rounds import Rounds
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.client.sealing import Sealing, SealingV1
from sessionsim.protocol.client.swarm_cache import SwarmCache
from sessionsim.protocol.contents import Message
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.machine import NOTHING, WAKE_AT, Effect, Effects
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.onion import Hop


class Client:
    """A client of one account on one device.

    Args:
        account: its keys.
        nodes: the node list it holds; hops: the same as route entries.
        rules: its platform.
        suite, entropy: cryptography and addressed chance.
        epoch_ms: unix time in ms at simulated time 0.
        profile: what it tells about itself in texts.
        seeds: endpoints of seed nodes.
    """

    def __init__(
        self,
        account: Account,
        nodes: NodeList,
        hops: tuple[Hop, ...],
        rules: ClientRules,
        suite: Suite,
        entropy: Entropy,
        epoch_ms: int,
        profile: Profile,
        seeds: Sequence[int] = (),
    ) -> None:
        self.account, self.rules = account, rules
        self.suite, self.entropy = suite, entropy
        self.body_style = rpc.BODY_STYLES[rules.body_style]
        self.requests = Requests(nodes, hops, rules, suite, entropy)
        self.clock = Clock(self, epoch_ms)
        self.requests.on_wrong_time = self.clock.doubt
        self.swarms = SwarmCache(self, nodes)
        self.node_list = NodeListKeeper(self.requests, nodes, rules, self.body_style, entropy, seeds)
        self.builder = Builder(self.requests, rules, account.id_hex, self.body_style, self.node_list.needed)
        self.node_list.listed = self.builder.listed
        self.rotation = Rotation(self.requests, rules, self.body_style)
        # Who takes what the own inbox holds, by namespace; of others only the cursor is kept.
        self.takers: dict[int, Taker] = {}
        # Who else looks at messages that are delivered.
        self.readers: list[Reader] = []
        # Who takes what is sent to the client unasked, by the name of the request.
        self.listeners: dict[str, Listener] = {}
        self.read_to_end: dict[int, ReadToEnd] = {}
        # Newest hash by namespace of what the device had read before the run, from every node of its swarm.
        self.known: dict[int, str] = {}
        # Calls that go with every poll of the own account; given its time, unix ms.
        self.poll_extras: list[Callable[[int], rpc.Call | None]] = []
        # What these ask to be kept longer, given the time, unix ms; None where they do not.
        self.extends: Callable[[int], Extension | None] | None = None
        # Say until when polls that bring nothing change nothing, given the time; None: they may do so now.
        self.stills: list[Callable[[int], int | None]] = []
        self.sealing: Sealing = SealingV1(self)
        # Who takes what the own inbox holds about groups: hash, sender, message, time; None: nobody does.
        self.group_updates: Callable[[str, bytes, Message, int], list[Effect]] | None = None
        self.parts: list[Part] = []
        self.pacing: Pacing | None = None  # has requests leave at times of its own (defences)
        self.presence = Presence(self)
        # What is told of the device itself is heard at once, even while it sleeps.
        told = (self.clock, self.presence, Restarts(self))
        self._told: Mapping[str, Handler] = {name: act for one in told for name, act in one.commands.items()}
        self._commands: dict[str, Handler] = dict(self._told)
        self._armed_us: int | None = None
        self._hear_of_use()
        # Paths and node list are kept by parts too, which are asked only when something has changed there.
        self._upkeep = (self.node_list, self.builder, self.rotation)
        self._upkeep_us: int | None = None
        self.inbox = Inbox(self)
        self.takers[0] = self.inbox.take
        self.outbox = Outbox(self, profile)
        self.add(self.outbox)
        self._poller = Poller(self)
        self.add(self._poller)
        # The polls of the own account are told by the poller, those of others by these.
        self.other_polls: list[OtherPolls] = []

    def _hear_of_use(self) -> None:
        """Have upkeep begun by requests, or by choices of nodes, where the platform does so."""
        rules, requests = self.rules, self.requests
        rotates = bool(rules.rotation_us) and rules.rotation_trigger == "request"
        lists = bool(rules.list_interval_us) and rules.list_trigger == "request"
        if lists or rotates:
            requests.on_use = self._used
        if rules.list_interval_us and rules.list_trigger == "path":
            requests.on_choice = self.node_list.used

    def _used(self, now_us: int) -> None:
        self.node_list.used(now_us)
        self.rotation.used(now_us)

    def add(self, part: Part) -> None:
        """Give the client one more ability, before it starts.

        Raises:
            LocalProtocolError: another part carries out one of its commands.
        """
        for name, handler in part.commands.items():
            if name in self._commands:
                raise LocalProtocolError(f"two parts carry out the command {name!r}")
            self._commands[name] = handler
        self.parts.append(part)

    # --- the machine contract -------------------------------------------------------------------------

    def start(self, now_us: int) -> Effects:
        effects: list[Effect] = []
        for keeper in self._upkeep:
            effects += keeper.start(now_us)
        self.requests.stir()
        for part in self.parts:
            effects += part.start(now_us)
        return self._armed(effects, now_us)

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        if type(head) is not int:
            listener = self.listeners.get(head)  # type: ignore[arg-type]
            if listener is None or not self.presence.online:
                return NOTHING
            return self._armed(listener(src, conn, exchange, payload, now_us), now_us)
        effects = self.requests.receive(src, conn, exchange, head, payload, now_us)
        return NOTHING if effects is None else self._armed(effects, now_us)

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        effects = self.requests.unreachable(dst, conn, exchange, now_us)
        return NOTHING if effects is None else self._armed(effects, now_us)

    def do(self, name: str, *details: Any) -> list[Effect]:
        """Carry out a command from inside. Args: details: what goes with it, the time in µs last."""
        return self._commands[name](*details)

    def command(self, command: tuple[object, ...], now_us: int) -> Effects:
        handler = self._commands.get(str(command[0]))
        if handler is None:
            raise LocalProtocolError(f"unknown command {command[0]!r}")
        if not self.presence.awake and command[0] not in self._told:
            self.presence.wait(command)
            return NOTHING
        return self._armed(handler(*command[1:], now_us), now_us)

    def wake(self, now_us: int) -> Effects:
        self._armed_us = None
        effects = self.presence.wake(now_us)
        if self.presence.awake:
            effects += self.wake_parts(now_us)
        return self._armed(effects, now_us)

    def wake_parts(self, now_us: int) -> list[Effect]:
        """Do all that has fallen due."""
        effects = self.requests.wake(now_us)
        if self._upkeep_us is not None and self._upkeep_us <= now_us:
            for keeper in self._upkeep:
                effects += keeper.wake(now_us)
            self.requests.stir()
        for part in self.parts:
            effects += part.wake(now_us)
        return effects

    def _armed(self, effects: list[Effect], now_us: int) -> Effects:
        """Add a wish to be woken when the earliest thing that can fall due is not covered yet."""
        if self.requests.stirred:
            effects = self._settled(effects)
        due = None
        presence = self.presence
        if not presence.settled:
            effects = self._settled(effects + presence.pass_away(now_us))
            due = presence.next_due_us()
        if self.pacing is not None:
            effects = self.pacing.paced(effects, now_us)
            other = self.pacing.next_due_us()
            if other is not None and (due is None or other < due):
                due = other
        if presence.awake:
            other = self.requests.next_due_us()
            if other is not None and (due is None or other < due):
                due = other
            if self._upkeep_us is not None and (due is None or self._upkeep_us < due):
                due = self._upkeep_us
            for part in self.parts:
                other = part.next_due_us()
                if other is not None and (due is None or other < due):
                    due = other
        if due is not None and due != self._armed_us and (self._armed_us is None or due < self._armed_us):
            self._armed_us = due
            effects.append((WAKE_AT, due))
        return effects

    def _settled(self, effects: list[Effect]) -> list[Effect]:
        """Give effects without what is held and with what lies aside; ask when upkeep is due."""
        effects = self.requests.settled(effects)
        times = [keeper.next_due_us() for keeper in self._upkeep]
        self._upkeep_us = min([t_us for t_us in times if t_us is not None], default=None)
        return effects

    def disarm(self) -> None:
        """Take it that nobody will call `wake` unless asked to."""
        self._armed_us = None

    @property
    def rounds(self) -> Rounds:
        """The rounds in which other accounts are polled together with the own one."""
        if self._poller.rounds is None:
            self._poller.rounds = Rounds(self._poller)
        return self._poller.rounds

    def poll_at(self, t_us: int) -> None:
        """Have the own account polled then, if the client is awake; no poll may be under way."""
        self._poller.poll_at(t_us)

    # --- idle polls ------------------------------------------------------------------------------------

    def idle(self, now_us: int) -> IdlePolls | None:
        """Tell the polls to come if only time and they can change anything; None while more is going on."""
        requests, poller = self.requests, self._poller
        if not requests.is_quiet() or self.pacing is not None:
            return None
        if self.poll_extras and self.extends is None:
            return None
        passes_us = self.presence.next_due_us()
        until_us = NEVER_US if passes_us is None else passes_us
        beside_us = self.rotation.next_due_beside_us()
        if beside_us is None or beside_us <= now_us:
            beside_us, upkeep = NEVER_US, [self._upkeep_us]
        else:
            of_paths_us = self.rotation.next_due_of_polls_us()
            upkeep = [of_paths_us, self.node_list.next_due_us(), self.builder.next_due_us()]
        until_us = min([until_us, *[t_us for t_us in upkeep if t_us is not None]])
        if requests.on_use is not None:
            until_us = min(until_us, self.rotation.next_use_us(), self.node_list.next_use_us())
        for still in self.stills:
            still_us = still(now_us)
            if still_us is None:
                return None
            until_us = min(until_us, still_us)
        for part in self.parts:
            if part is poller:
                continue
            due_us = part.next_due_us() if part not in self.other_polls else part.next_due_beside_us()
            if due_us is not None and due_us < until_us:
                until_us = due_us
        own = poller.idle(until_us, now_us)
        if own is not None:
            own.beside_us = beside_us
        if own is None or not self.other_polls:
            return own
        others: list[IdlePolls] = []
        for part in self.other_polls:
            polls = part.idle(until_us, now_us)
            if polls is None:
                return None
            others += polls
        own.others = tuple(others)
        return own

    def wake_beside(self, now_us: int) -> Effects | None:
        """Do what falls due while polls go on as `idle` told; None if it has to do with them after all."""
        due_us, on_choice = self.requests.next_due_us(), self.requests.on_choice
        if due_us is not None and due_us <= now_us:
            return None
        if on_choice is not None and self.node_list.is_due(now_us):
            return None
        return self._settled(self.rotation.wake_beside(now_us))

    def next_beside_us(self) -> int:
        """Give when `wake_beside` is to be called next."""
        times = (self.rotation.next_due_beside_us(), self.requests.next_due_us())
        return min([t_us for t_us in times if t_us is not None], default=NEVER_US)

    def skip(self, skips: Sequence[Skip]) -> None:
        """Go on behind idle polls, told of every account; when the next begins, `wake` is to be called."""
        for account_id, count, next_us, last, rereads in skips:
            if account_id == self.account.id:
                self._poller.skip(count, next_us, last)
                self._poller.reread(rereads)
            else:
                for part in self.other_polls:
                    part.skip(account_id, count, next_us, last)
        led = self._poller.rounds is not None
        self._armed_us = skips[0].next_us if led else min([skip.next_us for skip in skips])

    def wire_ms(self, now_us: int) -> int:
        """Give the client's clock as it writes it into requests: unix time in ms."""
        return self.clock.epoch_ms + now_us // US_PER_MS

    @property
    def epoch_ms(self) -> int:
        """What the client takes to be the unix time in ms at simulated time 0."""
        return self.clock.epoch_ms
