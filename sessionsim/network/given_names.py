"""The names that accounts of a run have registered before it, and the nodes that give them out (messages 10).

Only accounts that somebody looks up by name have one. Every node's daemon has the whole blockchain, so all
nodes give the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sessionsim.core.intents import NameLookup, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.protocol.crypto import aead
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.identity import Account
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.names import seal_answer
from sessionsim.protocol.snode import ServiceNode

_HASH_BYTES = 32


def given_name(account: int) -> str:
    """Give the name of an account, by its number."""
    return f"client-{account:06d}"


def register_names(
    wishes: Iterable[Wish], accounts: Sequence[Account], machines: Iterable[Machine], seeds: Seeds
) -> None:
    """Let nodes know the names that are looked up. Args: machines: any; only nodes are told."""
    named = sorted({wish.recipient for wish in wishes if isinstance(wish, NameLookup)})
    if not named:
        return
    known: dict[bytes, tuple[bytes, bytes]] = {}
    for number in named:
        name, nonce = given_name(number), seeds.key("name nonce", number)[: aead.NONCE_BYTES]
        sealed = seal_answer(name, accounts[number].id, nonce)
        known[blake2b(name.encode(), _HASH_BYTES)] = (sealed.ciphertext, nonce)
    for machine in machines:
        if isinstance(machine, ServiceNode):
            machine.know_names(known)
