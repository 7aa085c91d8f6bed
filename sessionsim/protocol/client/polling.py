"""Polling a swarm: a signed batch of retrieves to one or more of its nodes, again and again.

`last_hash` is kept per (node, namespace), so a node not asked before gives everything again. After failed
rounds the platforms pause differently (client-behaviour 6.1). `Poller` polls the own account; groups are
polled in the same way, each at its own swarm (`groups.polling`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.client.idling import Cursors, Extension, IdlePolls, Reread, exchange_of
from sessionsim.protocol.client.parts import Handler, ReadToEnd
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.rounds import Rounds
from sessionsim.protocol.client.turns import Turns, luck_of
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.poll import PollTemplate

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_POLL_NOTE = note_of(Cause.POLL)
_INBOX: Final = 0  # Source: transport 5.3
_PROFILE: Final = (2,)  # where the own profile lies. Source: transport 5.3
_FIRST: Final = 1  # tells the requests of the first start from those of all other polls


class Polled(NamedTuple):
    """Which boxes a poller reads, and how its requests are told from others.

    Args:
        account_id: 33 bytes, whose swarm is asked.
        namespaces: read at each poll, in this order.
        reads: the same in the order in which their answers are taken in.
        node_choice, nodes, polls_per_node: see `ClientRules`.
        purpose, note: of its requests.
        place: begins the addresses of its draws.
        tag: stands above the number of the poll in an exchange number.
    """

    account_id: bytes
    namespaces: tuple[int, ...]
    reads: tuple[int, ...]
    node_choice: str
    nodes: int
    polls_per_node: int
    purpose: Purpose
    note: int
    place: bytes = b""
    tag: int = 0


class SwarmPoller:
    """Rounds of polls at one swarm; what a poll says, brings and leads to is for the kinds of it to say.

    Args:
        client: whose.
        polled: what is polled.
    """

    def __init__(self, client: Client, polled: Polled) -> None:
        self._client, self._polled_as = client, polled
        self._polls = 0
        self._polls_open = 0
        self._next_us: int | None = None
        self._failures = 0  # rounds in a row that brought nothing
        self._succeeded = False  # in the round under way
        self.rounds: Rounds | None = None  # it takes part in; None: it has a rhythm of its own
        self._polled_us: int | None = None  # in such a round, when all had answered last
        luck = luck_of(client.entropy, polled.place + b"polled nodes")
        self._turns = Turns(luck, polled.node_choice, polled.nodes, polled.polls_per_node)
        self._last_hash: dict[tuple[int, int], str] = {}
        self._heard = 0  # how often a node has given something
        self._told: dict[int, tuple[Cursors, list[str]]] = {}  # what nodes are told until then
        self._ends: Mapping[int, ReadToEnd] = {}  # who hears that a node has given all it holds of a box

    def next_due_us(self) -> int | None:
        return self._next_us

    def wake(self, now_us: int) -> list[Effect]:
        return self._poll(now_us) if self._next_us is not None and self._next_us <= now_us else []

    def _poll(self, now_us: int) -> list[Effect]:
        """Start one round; the next is due a pause after the last answer of this one."""
        self._next_us = None
        number, self._polls = self._polls, self._polls + 1
        self._polls_open += 1
        return self._client.swarms.find(
            self._polled_as.account_id, now_us, lambda swarm, t_us: self._ask(number, swarm, t_us)
        )

    def _ask(self, number: int, swarm: tuple[int, ...], now_us: int) -> list[Effect]:
        self._polls_open -= 1
        if not swarm:
            return self._round_done(now_us)
        effects = []
        polled = self._polled_as
        for k, node in enumerate(self._turns.choose(number, swarm)):
            body = self._poll_body(node, now_us)
            self._polls_open += 1
            effects.append(
                self._client.requests.send(
                    exchange_of(polled.tag, number, k, polled.purpose), node, body, polled.note, now_us,
                    lambda status, answer, t_us, node=node: self._polled(node, status, answer, t_us),
                )
            )  # fmt: skip
        return effects

    def _polled(
        self, node: int, status: int, body: bytes, now_us: int, boxes: tuple[int, ...] | None = None
    ) -> list[Effect]:
        """Take the answer of a node. Args: boxes: what it was asked for; None: what is read at each poll."""
        self._polls_open -= 1
        effects: list[Effect] = []
        account_id = self._polled_as.account_id
        try:
            if status == 200:
                results = rpc.read_batch(body)
                if self._are_empty(results):
                    self._succeeded = True
                    return self._round_done(now_us)
                answers = dict(zip(boxes or self._polled_as.namespaces, results, strict=False))
                for namespace in boxes or self._polled_as.reads:
                    code, fields = answers.get(namespace, (0, {}))
                    if code == 421:
                        self._client.swarms.correct(account_id, fields)
                    elif code == 200:
                        if fields.get("messages") != []:
                            messages = rpc.read_retrieved(fields)[0]
                            if messages:
                                self._has_read(node, namespace, messages[-1].hash)
                                named = rpc.renamed(account_id, namespace, messages)
                                effects += self._take(namespace, named, now_us)
                        if fields.get("more") is not True and namespace in self._ends:
                            effects += self._ends[namespace](now_us)
                        self._succeeded = True
            elif status == 421:
                self._client.swarms.correct(account_id, rpc.read_object(body))
        except RemoteProtocolError:
            pass  # what was read before the fault counts; the next poll asks again
        return effects + self._round_done(now_us)

    def _has_read(self, node: int, namespace: int, last_hash: str) -> None:
        self._last_hash[node, namespace] = last_hash
        self._heard += 1
        self._told.pop(node, None)

    def _are_empty(self, results: list[tuple[int, dict[str, Any]]]) -> bool:
        """Say whether all boxes were read and hold nothing new, which nobody need hear of."""
        if self._ends or not results or len(results) != len(self._polled_as.namespaces):
            return False
        first = results[0]  # one object stands for answers that are equal
        return results[-1] is first and first[0] == 200 and first[1].get("messages") == []

    def _round_done(self, now_us: int) -> list[Effect]:
        if self._polls_open == 0:
            succeeded, self._succeeded = self._succeeded, False
            self._failures = 0 if succeeded else self._failures + 1
            if self.rounds is None:
                self._next_us = now_us + self._poll_pause_us(now_us)
            else:
                self._polled_us = now_us if succeeded else self._polled_us
                self.rounds.over(self, now_us)
        return []

    @property
    def _is_led(self) -> bool:
        """Whether it is polled in rounds that begin with somebody else."""
        return self.rounds is not None

    def poll_in_round(self, now_us: int) -> list[Effect]:
        """Poll now; see `rounds`."""
        return SwarmPoller._poll(self, now_us)

    def is_due(self, now_us: int) -> bool:
        """Say whether a round that begins now takes it: nothing is under way, and its pause is over."""
        if self._polls_open:
            return False
        return self._polled_us is None or now_us - self._polled_us >= self._poll_pause_us(now_us)

    # --- idle polls ---------------------------------------------------------------------------------------

    def idle(self, until_us: int, now_us: int) -> IdlePolls | None:
        """Tell the polls to come, if nothing is under way and the last round went well; see `idling`."""
        client, polled, joint = self._client, self._polled_as, self._is_led
        due_us = self._polled_us if joint else self._next_us
        if due_us is None or self._polls_open or self._failures or not self._polls:
            return None
        swarm, rules = client.swarms.known(polled.account_id), client.rules
        keeper = client.requests.keeper
        least_busy = rules.path_choice == "least-busy"
        if not swarm or not keeper.enough or (least_busy and polled.nodes > 1):
            return None

        return IdlePolls(
            polled.account_id, swarm, self._turns, self._polls, due_us,
            exchange_of(polled.tag, 0, 0, polled.purpose), until_us, rules.merge_window_us,
            self._poll_pause_us, rules.request_timeout_us,
            tuple(path.nodes for path in keeper.ready), keeper.luck,
            keeper.usable(swarm), least_busy, client.requests.connection, self._heard, self._cursors,
            rules.style, self._body_bytes, self._extends(now_us), self._token(), joint,
        )  # fmt: skip

    def skip(self, count: int, next_us: int, last: int) -> None:
        """Go on behind so many idle polls. Args: next_us: see `idling.Skip`; last: asked last."""
        if count:
            self._turns.skip(last)
        self._polls += count
        if self._is_led:
            self._polled_us = next_us
        else:
            self._next_us = next_us

    def _cursors(self, node: int) -> Cursors:
        return self._boxes(node)[0]

    def _boxes(self, node: int) -> tuple[Cursors, list[str]]:
        """Give what a poll tells a node: namespace and newest hash of each box, and the hashes alone."""
        told = self._told.get(node)
        if told is None:
            last, known, boxes = self._last_hash, self._known_before, self._polled_as.namespaces
            hashes = [last.get((node, box)) or known.get(box, "") for box in boxes]
            told = self._told[node] = tuple(zip(boxes, hashes, strict=True)), hashes
        return told

    def _body_bytes(self, cursors: Cursors) -> int:
        """Give the length of the body of a poll."""
        raise NotImplementedError

    def _extends(self, now_us: int) -> Extension | None:
        """Say what a poll asks to be kept longer."""
        raise NotImplementedError

    def _token(self) -> bytes:
        """Give the subaccount with which polls are made; empty for none."""
        return b""

    @property
    def _known_before(self) -> Mapping[int, str]:
        """Newest hash by namespace of what the device had read before the run, from every node."""
        raise NotImplementedError

    # --- what kinds of polls say and do -------------------------------------------------------------------

    def _poll_body(self, node: int, now_us: int) -> bytes:
        """Write the batch of signed retrieves for one node."""
        raise NotImplementedError

    def _poll_pause_us(self, now_us: int) -> int:
        """Give the pause before the next round."""
        raise NotImplementedError

    def _take(self, namespace: int, messages: Sequence[rpc.Retrieved], now_us: int) -> list[Effect]:
        """Hand on what a poll brought, one or more, in the node's order."""
        raise NotImplementedError


class Poller(SwarmPoller):
    """The polling half of a client: its own account. Args: client: whose."""

    def __init__(self, client: Client) -> None:
        rules = self._rules = client.rules
        super().__init__(
            client,
            Polled(
                client.account.id, rules.namespaces, rules.namespaces, rules.poll_node_choice,
                rules.poll_nodes, rules.polls_per_node, Purpose.POLL, _POLL_NOTE,
            ),
        )  # fmt: skip
        sizes = [
            rules.max_size_configs if namespace else rules.max_size_messages for namespace in rules.namespaces
        ]
        self._ends = client.read_to_end
        self._is_first = rules.first_start and rules.first_poll == "profile-everywhere"
        self._extended: Extension | None = None  # what made polls longer by so many bytes
        self._extra_bytes = 0
        self._sign = partial(client.suite.sign, client.account.ed)
        self._template = PollTemplate(
            client.body_style, client.account.id_hex, client.account.ed.public.hex(), rules.namespaces, sizes
        )

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"poll": self._poll}

    def idle(self, until_us: int, now_us: int) -> IdlePolls | None:
        polls, client = super().idle(until_us, now_us), self._client
        if polls is not None and client.takers.get(_INBOX) == client.inbox.take and _INBOX not in self._ends:
            polls.knows, polls.max_size = client.inbox.knows, self._rules.max_size_messages
        return polls

    def reread(self, rereads: Sequence[Reread]) -> None:
        """Take it that nodes have given what the client knew."""
        for node, hashes, cursor in rereads:
            self._has_read(node, _INBOX, cursor)
            for message_hash in hashes:
                self._client.inbox.is_new(message_hash)

    def start(self, now_us: int) -> list[Effect]:
        self._next_us = now_us + number_at(self._client.entropy, b"phase", self._rules.poll_interval_us)
        return []

    def _poll(self, now_us: int) -> list[Effect]:
        return super()._poll(now_us) if self.rounds is None else self.rounds.begin(now_us)

    @property
    def _is_led(self) -> bool:
        return False

    def rounds_over(self, now_us: int) -> None:
        """Wait for the next round."""
        self._next_us = now_us + self._poll_pause_us(now_us)

    def _ask(self, number: int, swarm: tuple[int, ...], now_us: int) -> list[Effect]:
        if not (self._is_first and swarm):
            return super()._ask(number, swarm, now_us)
        self._is_first, client, size = False, self._client, [self._rules.max_size_configs]
        template = PollTemplate(
            client.body_style, client.account.id_hex, client.account.ed.public.hex(), _PROFILE, size
        )
        body = template.fill(client.wire_ms(now_us), [""], self._sign)
        self._polls_open += len(swarm) - 1
        return [
            client.requests.send(
                exchange_of(_FIRST, place, 0, Purpose.POLL), node, body, _POLL_NOTE, now_us,
                lambda status, answer, t_us, node=node: self._first_polled(node, status, answer, t_us),
            )
            for place, node in enumerate(swarm)
        ]  # fmt: skip

    def _first_polled(self, node: int, status: int, body: bytes, now_us: int) -> list[Effect]:
        """Take the own profile from a node; after the last one all is polled at once."""
        effects = self._polled(node, status, body, now_us, _PROFILE)
        if not self._polls_open:
            self._next_us = now_us
        return effects

    def _poll_body(self, node: int, now_us: int) -> bytes:
        client = self._client
        cursors = self._boxes(node)[1]
        now_ms = client.wire_ms(now_us)
        if not client.poll_extras:
            return self._template.fill(now_ms, cursors, self._sign)
        extras = [call for call in (extra(now_ms) for extra in client.poll_extras) if call is not None]
        return self._template.fill(now_ms, cursors, self._sign, extras)

    def poll_at(self, t_us: int) -> None:
        """Have the next poll begin then, with the failures before it forgotten."""
        self._failures, self._next_us = 0, t_us

    def _body_bytes(self, cursors: Cursors) -> int:
        length = self._template.length(sum([len(cursor) for _, cursor in cursors]))
        if self._client.poll_extras:
            length += self._extra_bytes
        return length

    def _extends(self, now_us: int) -> Extension | None:
        extends = self._client.extends
        extension = extends(self._client.wire_ms(now_us)) if extends is not None else None
        if extension != self._extended:
            self._extended, now_ms = extension, self._client.wire_ms(now_us)
            added = [extra(now_ms) for extra in self._client.poll_extras]
            self._extra_bytes = self._template.extra_bytes([call for call in added if call is not None])
        return extension

    @property
    def _known_before(self) -> Mapping[int, str]:
        return self._client.known

    def _poll_pause_us(self, now_us: int) -> int:
        """Give the pause before the next round (client-behaviour 6.1)."""
        rules, failures = self._rules, self._failures
        if not failures or rules.poll_retry_rule == "interval":
            return rules.poll_interval_us
        steps = rules.poll_retry_step_us * failures
        if rules.poll_retry_rule == "alone":
            return min(steps, rules.poll_retry_cap_us)
        return max(rules.poll_interval_us, min(rules.poll_interval_us + steps, rules.poll_retry_cap_us))

    def _take(self, namespace: int, messages: Sequence[rpc.Retrieved], now_us: int) -> list[Effect]:
        take = self._client.takers.get(namespace)
        effects: list[Effect] = []
        if take is not None:
            for message in messages:
                effects += take(message, now_us)
        return effects
