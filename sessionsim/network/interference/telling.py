"""Operated replicas that answer the same question differently to different askers.

A client tells a node the last hash that this node gave it (transport 5.6), and no client checks that the hash
belongs to the bytes. So a node can give the last message of every answer a name that it gives to nobody else,
and know the asker again by it, over any path; it turns the name back into the hash before it looks. It can
also keep messages from its askers, who get them from the other members of the swarm.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Sequence
from typing import Final

from sessionsim.core.seeds import Entropy
from sessionsim.network.interference.kinds import Equivocate
from sessionsim.protocol.snode import Reads
from sessionsim.protocol.stored import Message
from sessionsim.protocol.wire.rpc import HASH_LENGTH

_INBOX: Final = 0  # the namespace that it is done in
_SCALE: Final = 1 << 64

# Told of an answer: node, account, the name that was given, the cursor of the question.
Told = Callable[[int, bytes, str, str], None]


class Telling:
    """One interference of kind equivocate.

    Args:
        name, config: as declared.
        nodes: that do it.
        entropy: its addressed chance.
        span_ms: from when to when it goes on, unix ms.
    """

    def __init__(
        self,
        name: str,
        config: Equivocate,
        nodes: frozenset[int],
        entropy: Entropy,
        span_ms: tuple[int, int],
    ) -> None:
        self.name, self.kind, self.nodes = name, "equivocate", nodes
        self._config, self._entropy, self._span_ms = config, entropy, span_ms
        self._real: dict[tuple[int, str], str] = {}  # hash by node and the name it gave
        self._answers: dict[tuple[int, bytes], int] = {}  # how many names a node has given for an account

    def reading(self, node: int, honestly: Reads, told: Told) -> Reads:
        """Make what a node reads boxes with. Args: honestly: what an honest one does."""

        def reads(
            account: bytes, namespace: int, last_hash: str, max_count: int, max_bytes: int, now_ms: int
        ) -> tuple[Sequence[Message], bool]:
            asked = self._real.get((node, last_hash), last_hash)
            found, more = honestly(account, namespace, asked, max_count, max_bytes, now_ms)
            if namespace != _INBOX or not self._span_ms[0] <= now_ms < self._span_ms[1]:
                return found, more
            found = [message for message in found if not self._is_hidden(node, message.hash)]
            if found and self._config.renames:
                last = found[-1]
                name = self._name(node, account)
                self._real[node, name] = last.hash
                found[-1] = last._replace(hash=name)
                told(node, account, name, last_hash)
            return found, more

        return reads

    def _is_hidden(self, node: int, message_hash: str) -> bool:
        share = self._config.hidden_prob
        if not share:
            return False
        drawn = self._entropy.draw(b"hidden%d " % node + message_hash.encode())
        return int.from_bytes(drawn[:8], "little") < share * _SCALE

    def _name(self, node: int, account: bytes) -> str:
        number = self._answers[node, account] = self._answers.get((node, account), 0) + 1
        drawn = self._entropy.draw(b"name%d %d " % (node, number) + account)[:32]
        return binascii.b2a_base64(drawn, newline=False)[:HASH_LENGTH].decode()
