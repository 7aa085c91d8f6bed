"""Messages to groups and from them (messages 4.3): one store at the group's swarm, read by all members.

Texts to one group go one after the other, as those to a person do (client-behaviour 6.3). A message is
encrypted once, with the newest key at that moment; each attempt stores the same bytes. No second copy is
made: the own other devices read the group too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import ProtocolError
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.client.errands import Errand, Patience
from sessionsim.protocol.client.groups import calls
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.contents import (
    Expiry,
    GroupDeleteContent,
    GroupUpdate,
    Message,
    Part,
    Profile,
    Text,
    read,
    write,
)
from sessionsim.protocol.groups import open_group, seal_group
from sessionsim.protocol.groups.message import RANDOM_BYTES
from sessionsim.protocol.machine import LOG, Effect
from sessionsim.protocol.namespaces import GROUP_MESSAGES
from sessionsim.protocol.versions.v1 import encode_text
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.errands import Answers, Errands
    from sessionsim.protocol.client.extras import Extras
    from sessionsim.protocol.client.groups.rules import GroupRules
    from sessionsim.protocol.client.groups.standing import Standing
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.outcomes import Outcomes


class Said(NamedTuple):
    """What somebody said in a group.

    Args:
        sender_id: 33 bytes, of who signed it.
        sent_ms: the signed time, unix ms.
        part: what it is; content: the same as it stands on the wire.
    """

    sender_id: bytes
    sent_ms: int
    part: Part
    content: bytes


class Talk:
    """What one device says in groups, and how it reads what others say.

    Args:
        client: whose.
        rules: its platform's.
        errands: carries requests out.
        outcomes: what is logged of wishes.
        profile: what it tells about itself; None for nothing.
    """

    def __init__(
        self,
        client: Client,
        rules: GroupRules,
        errands: Errands,
        outcomes: Outcomes,
        profile: Profile | None,
    ) -> None:
        self._client, self._rules, self._errands = client, rules, errands
        self._outcomes, self.profile = outcomes, profile
        own = client.rules
        self._patience = Patience(
            own.send_attempts, own.send_backoff_us, own.send_backoff_growth, own.send_backoff_cap_us
        )
        self._queues: dict[int, deque[tuple[int, str, Extras | None, Part | None]]] = {}
        self._sealed: dict[tuple[bytes, bytes], int] = {}
        self.own_hashes: set[str] = set()  # of what this device has said

    # ---- Saying ----

    def say(
        self,
        standing: Standing,
        ref: int,
        body: str,
        extras: Extras | None,
        now_us: int,
        remark: Part | None = None,
    ) -> list[Effect]:
        """Send a text with what hangs on it, or a remark instead of one.

        It starts when those before it to the same group are done.
        """
        queue = self._queues.setdefault(standing.tag, deque())
        queue.append((ref, body, extras, remark))
        return self._begin(standing, now_us) if len(queue) == 1 else []

    def forget(self, reason: str, now_us: int) -> list[Effect]:
        """Give up all that is not stored yet, as when a program without a persistent queue stops."""
        queues, self._queues = self._queues, {}
        return [
            effect
            for queue in queues.values()
            for ref, *_ in queue
            for effect in self._outcomes.failed(ref, reason)
        ]

    def _begin(self, standing: Standing, now_us: int) -> list[Effect]:
        queue = self._queues[standing.tag]
        if not queue:
            return []
        ref, body, extras, remark = queue[0]
        sent_ms = self._client.wire_ms(now_us)
        if remark is not None:
            data = self.seal(standing, write(Message(sent_ms, remark)), sent_ms, b"remark")
        else:
            data = self.seal(standing, self._content(body, sent_ms, extras), sent_ms, b"text")

        def stored(_answers: Answers, t_us: int) -> list[Effect]:
            standing.active_us = t_us
            effects = self._outcomes.stored(ref, t_us)
            if isinstance(remark, GroupUpdate) and isinstance(remark.change, GroupDeleteContent):
                effects += self.delete(standing, remark.change.hashes, t_us)
            return effects + self._next(standing, t_us)

        def given_up(status: int, t_us: int) -> list[Effect]:
            return [*self._outcomes.failed(ref, f"status {status}"), *self._next(standing, t_us)]

        expiry_ms = sent_ms + self._rules.message_ttl_us // US_PER_MS
        logs: list[Effect] = [
            (LOG, "hash", ref, rpc.message_hash(standing.group_id, GROUP_MESSAGES, data)),
            (LOG, "written", ref, (sent_ms, expiry_ms)),
            (LOG, "to", ref, standing.readers()),
        ]
        errand = self._errand(standing, data, note_of(Cause.GROUP, ref), stored, given_up)
        errand.tried = lambda attempt: [(LOG, "attempts", ref, attempt)]
        errand.message = ref
        errand.wanted = lambda: self._queues.get(standing.tag) is queue
        return logs + self._errands.run(errand, now_us)

    def _content(self, body: str, sent_ms: int, extras: Extras | None) -> bytes:
        if extras is None:
            return encode_text(body, sent_ms, profile=self.profile)
        text = Text(body, extras.attachments, previews=extras.previews, profile=self.profile)
        return write(Message(sent_ms, text, Expiry() if self.profile else None))

    def _next(self, standing: Standing, now_us: int) -> list[Effect]:
        self._queues[standing.tag].popleft()
        return self._begin(standing, now_us)

    def delete(self, standing: Standing, hashes: Sequence[str], now_us: int) -> list[Effect]:
        """Delete messages from the group's swarm, which admins alone can."""
        if standing.admin is None or not hashes:
            return []
        client = self._client
        deletion = calls.delete(client.body_style, standing, hashes)
        errand = Errand(
            standing.group_id, Purpose.GROUP, standing.tag, note_of(Cause.GROUP),
            lambda now_ms: [deletion(now_ms)], client.rules.send_form, self._patience,
            lambda _answers, _t_us: [], lambda _status, _t_us: [],
        )  # fmt: skip
        return self._errands.run(errand, now_us)

    def tell(
        self, standing: Standing, update: GroupUpdate, sent_ms: int, now_us: int, ref: int = -1
    ) -> list[Effect]:
        """Send an update by itself. Args: ref: the wish that ends with it; -1 for none."""
        data = self.seal_update(standing, update, sent_ms)

        def done(_answers: Answers, t_us: int) -> list[Effect]:
            return self._outcomes.stored(ref, t_us)

        def given_up(status: int, _t_us: int) -> list[Effect]:
            return self._outcomes.failed(ref, f"status {status}")

        errand = self._errand(standing, data, note_of(Cause.GROUP, ref), done, given_up)
        return self._errands.run(errand, now_us)

    def _errand(
        self,
        standing: Standing,
        data: bytes,
        note: int,
        done: Callable[[Answers, int], list[Effect]],
        given_up: Callable[[int, int], list[Effect]],
    ) -> Errand:
        client = self._client
        stores = calls.store(client.body_style, standing, GROUP_MESSAGES, data, self._rules.message_ttl_us)
        return Errand(
            standing.group_id, Purpose.GROUP, standing.tag, note, lambda now_ms: [stores(now_ms)],
            client.rules.send_form, self._patience, done, given_up,
        )  # fmt: skip

    def seal_update(self, standing: Standing, update: GroupUpdate, sent_ms: int) -> bytes:
        """Seal an update. Args: sent_ms: the time its signature, if any, is over."""
        return self.seal(standing, write(Message(sent_ms, update)), sent_ms, b"update")

    def seal(self, standing: Standing, content: bytes, sent_ms: int, kind: bytes) -> bytes:
        """Seal a Content for a group. Args: kind: what it is; each kind has draws of its own."""
        client, counted = self._client, (standing.group_id, kind)
        number = self._sealed[counted] = self._sealed.get(counted, -1) + 1
        address = b"group " + kind + standing.group_id + number.to_bytes(6, "little")
        random = client.entropy.expand(address, RANDOM_BYTES)
        data = seal_group(
            client.suite, client.account, standing.group_id, standing.ring, content, sent_ms, random
        )
        self.own_hashes.add(rpc.message_hash(standing.group_id, GROUP_MESSAGES, data))
        return data

    # ---- Reading ----

    def read(self, standing: Standing, message: rpc.Retrieved) -> Said | None:
        """Open a message of namespace 11; None if no key fits, or it is none that a client accepts."""
        suite = self._client.suite
        try:
            opened = open_group(suite, standing.group_id, standing.ring, message.data)
            said = read(opened.content, outer_ms=opened.envelope_ms)
        except ProtocolError:
            return None
        return Said(opened.sender_id, said.sent_ms, said.part, opened.content)
