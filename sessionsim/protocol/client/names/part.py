"""Name look-ups of a client: some random nodes are asked at once, and believed if they agree.

The nodes learn the hash of the name, which whoever guesses names can compute, and, over an onion, not who
asks. What they answer only those can open who know the name. Nothing is asked twice: a node that fails or
says something else spoils the look-up, and the person hears so (messages 10; client-behaviour 6.5).

Command: `("look-up-name", ref, name)`. It is `stored` when the nodes agree; what is not found is given up
with what was wrong. Event: `name-resolved` (message; value: how many nodes agreed).
Source: session-desktop: ts/session/apis/snode_api/onsResolve.ts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import InvalidInput, ProtocolError, RemoteProtocolError
from sessionsim.protocol import names
from sessionsim.protocol.client.exchanges import Purpose
from sessionsim.protocol.client.names.rules import NameRules
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.machine import EVENT, LOG, Effect
from sessionsim.protocol.wire import rpc, rpc_write

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_APART: Final = 1 << 54  # exchange numbers of these, above those of look-ups of swarms
_PLACE_BITS: Final = 6  # room for the nodes of one look-up (NameRules.nodes)
_OK: Final = 200
_HASH_BYTES: Final = 32
NO_NODES: Final = "no node to ask for the name"


class _Lookup:
    """A look-up under way. Args: awaited: nodes that have not answered yet."""

    __slots__ = ("awaited", "found", "name", "wrong")

    def __init__(self, name: str, awaited: int) -> None:
        self.name, self.awaited = name, awaited
        self.found: list[bytes] = []  # account ids
        self.wrong = ""  # what was wrong with an answer


class NameLookups:
    """The part of a client that looks up names.

    Args:
        client: whose.
        rules: its platform's.
    """

    def __init__(self, client: Client, rules: NameRules) -> None:
        self._client, self._rules = client, rules
        self._open: dict[int, _Lookup] = {}
        self._begun = 0

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"look-up-name": self._look_up}

    def pending(self) -> Iterator[int]:
        """Give the look-ups under way."""
        return iter(self._open)

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        return None

    def wake(self, now_us: int) -> list[Effect]:
        return []

    def _look_up(self, ref: int, typed: str, now_us: int) -> list[Effect]:
        """Ask the nodes."""
        client, style, number = self._client, self._client.body_style, self._begun
        self._begun += 1
        try:
            name = names.name_of(typed)
        except InvalidInput as wrong:
            return [(LOG, "failed", ref, str(wrong))]
        draws = client.requests.pool.draws(client.entropy, b"name" + number.to_bytes(4, "little"))
        nodes = list(islice(draws, self._rules.nodes))
        if len(nodes) < self._rules.agreement:
            return [(LOG, "failed", ref, NO_NODES)]
        call = rpc_write.resolve_name_call(style, blake2b(name.encode(), _HASH_BYTES))
        # Source: session-desktop as above; libsession asks without a batch: Assumption
        alone = client.rules.body_style == "libsession"
        body = rpc.request_body(style, call) if alone else rpc.batch_body(style, [call])
        self._open[ref] = _Lookup(name, len(nodes))
        return [
            client.requests.send(
                (_APART | number << _PLACE_BITS | place) << 4 | Purpose.LOOKUP, node, body,
                note_of(Cause.LOOKUP, ref), now_us,
                lambda status, answer, t_us: self._answered(ref, alone, status, answer, t_us),
            )
            for place, node in enumerate(nodes)
        ]  # fmt: skip

    def _answered(self, ref: int, alone: bool, status: int, body: bytes, now_us: int) -> list[Effect]:
        """Take one node's answer; decide after the last."""
        lookup = self._open[ref]
        lookup.awaited -= 1
        try:
            result = _result(alone, status, body)
            legacy = self._client.rules.body_style != "desktop"  # Source: `names.open_answer`
            lookup.found.append(names.open_answer(lookup.name, names.read_answer(result), legacy=legacy))
        except ProtocolError as wrong:
            lookup.wrong = str(wrong)
        if lookup.awaited:
            return []
        del self._open[ref]
        try:
            names.agreed_id(lookup.found, needed=self._rules.agreement)
        except RemoteProtocolError as wrong:
            return [(LOG, "failed", ref, str(wrong) if lookup.found else lookup.wrong)]
        return [(EVENT, "name-resolved", ref, len(lookup.found)), (LOG, "stored", ref, now_us)]


def _result(alone: bool, status: int, body: bytes) -> dict[str, Any]:
    """Give what a node says. Raises RemoteProtocolError: an error, or another form."""
    if status != _OK:
        raise RemoteProtocolError(f"name: status {status}")
    answers = [(_OK, rpc.read_object(body))] if alone else rpc.read_batch(body)
    if len(answers) != 1 or answers[0][0] != _OK:
        raise RemoteProtocolError("name: no answer in the batch")
    result = answers[0][1].get("result")
    if not isinstance(result, dict):
        raise RemoteProtocolError("name: an answer without result")
    return result
