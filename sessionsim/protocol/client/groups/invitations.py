"""Invitations and promotions: direct messages that give access to a group (messages 2.3, 4.4).

Each goes to the swarm of the person by itself, as a job of its own, and is told apart from texts. On the
other side the inbox hands on what it finds; whoever got one may delete it from the own swarm, so that it is
read once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.client.errands import Errand, Patience
from sessionsim.protocol.client.groups.pushes import GROUP_NOTE
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.contents import GroupUpdate, Message, read_change, write
from sessionsim.protocol.groups import write_invite, write_promotion
from sessionsim.protocol.wire import rpc, rpc_signed, rpc_write

if TYPE_CHECKING:
    from sessionsim.protocol.client.errands import Answers, Errands
    from sessionsim.protocol.client.groups.rules import GroupRules
    from sessionsim.protocol.client.groups.standing import Standing
    from sessionsim.protocol.client.groups.talk import Talk
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.sealing import Seal
    from sessionsim.protocol.machine import Effect

# Told whether it was stored, and when.
Sent = Callable[[bool, int], "list[Effect]"]


class Invitations:
    """What one device sends to people about groups.

    Args:
        client: whose.
        rules: its platform's.
        errands: carries requests out.
        talk: knows the profile that goes along.
    """

    def __init__(self, client: Client, rules: GroupRules, errands: Errands, talk: Talk) -> None:
        self._client, self._rules, self._errands, self._talk = client, rules, errands, talk
        own = client.rules
        self._patience = Patience(
            own.send_attempts, own.send_backoff_us, own.send_backoff_growth, own.send_backoff_cap_us
        )
        self._numbers: dict[bytes, int] = {}

    def send(
        self, standing: Standing, person_id: bytes, ref: int, now_us: int, sent: Sent, *, promotes: bool
    ) -> list[Effect]:
        """Send an invitation, or a promotion, of a group whose keys this device holds."""
        client, group = self._client, standing.admin
        assert group is not None
        sent_ms = client.wire_ms(now_us)
        change = read_change(
            write_promotion(group, standing.name)
            if promotes
            else write_invite(client.suite, group, standing.name, person_id, sent_ms)
        )
        content = write(Message(sent_ms, GroupUpdate(change, self._talk.profile)))
        note = note_of(Cause.GROUP, ref)

        def stored(stored_it: bool, t_us: int) -> list[Effect]:
            effects = sent(stored_it, t_us)
            if stored_it and self._rules.invites_copied:
                effects += self._store(client.account.id, content, sent_ms, note, _ignore, t_us)
            return effects

        return self._store(person_id, content, sent_ms, note, stored, now_us)

    def _store(
        self, owner_id: bytes, content: bytes, sent_ms: int, note: int, sent: Sent, now_us: int
    ) -> list[Effect]:
        """Seal for an inbox, once it is known how, and store."""
        number = self._numbers[owner_id] = self._numbers.get(owner_id, -1) + 1
        address = b"invitation" + owner_id + number.to_bytes(6, "little")

        def ready(seal: Seal, t_us: int) -> list[Effect]:
            client = self._client
            data, ttl_ms = seal(content, sent_ms, address), client.rules.message_ttl_us // US_PER_MS
            errand = Errand(
                owner_id, Purpose.GROUP, 0, note,
                lambda _now_ms: [rpc.store_call(client.body_style, owner_id.hex(), data, sent_ms, ttl_ms)],
                client.rules.send_form, self._patience, lambda _answers, t_us: sent(True, t_us),
                lambda _status, t_us: sent(False, t_us),
            )  # fmt: skip
            return self._errands.run(errand, t_us)

        return self._client.sealing.prepare(-1, owner_id, now_us, ready)

    def forget(self, message_hash: str, now_us: int) -> list[Effect]:
        """Delete what was read from the own swarm, if the platform does."""
        if not self._rules.deletes_invites:
            return []
        client, hashes = self._client, [message_hash]
        asker = rpc_write.Asker(client.account.id, client.account.ed.public)

        def write_call(_now_ms: int) -> list[rpc.Call]:
            signature = client.suite.sign(client.account.ed, rpc_signed.delete_text(hashes))
            return [rpc_write.delete_call(client.body_style, asker, hashes, signature)]

        errand = Errand(
            client.account.id, Purpose.GROUP, 0, GROUP_NOTE, write_call, "batch", self._patience,
            _done, _given_up,
        )  # fmt: skip
        return self._errands.run(errand, now_us)


def _ignore(_stored_it: bool, _now_us: int) -> list[Effect]:
    return []


def _done(_answers: Answers, _now_us: int) -> list[Effect]:
    return []


def _given_up(_status: int, _now_us: int) -> list[Effect]:
    return []
