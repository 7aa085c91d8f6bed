"""What configs ask of the swarm, and when (messages 5.7; client-behaviour 6.3).

All dirty configs of an account, or of a group, go in one `sequence`: a store for each part, then one delete
of all hashes they supersede. A sequence stops at its first error: nothing is deleted that was not replaced.
At polls, the expiry of what is current is extended. These are plain values; the words of the storage RPC, and
the signatures, are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.configs.config import Config
from sessionsim.protocol.configs.conversations import Conversations
from sessionsim.protocol.configs.kinds import CONVERSATIONS

_DAY_MS: Final = 86_400_000
TTL_MS: Final = 30 * _DAY_MS  # Source: messages 5.7; session-desktop: ts/session/constants.ts


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Store one part."""

    namespace: int
    message: bytes
    ttl_ms: int = TTL_MS


@dataclass(frozen=True, slots=True)
class DeleteHashes:
    """Delete stored messages by hash; ascending, not empty."""

    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExtendHashes:
    """Extend the expiry of stored messages; never shortens it.

    Args:
        hashes: ascending, not empty.
        expiry_ms: unix time, ms.
    """

    hashes: tuple[str, ...]
    expiry_ms: int


@dataclass(frozen=True, slots=True)
class PushPlan:
    """One sequence: the stores, then the deletion if there is anything to delete.

    Args:
        stores: in the order of the configs, parts together.
        delete: what they supersede.
        seqnos: config, seqno and number of parts, in the same order.
    """

    stores: tuple[StoreConfig, ...]
    delete: DeleteHashes | None
    seqnos: tuple[tuple[Config, int, int], ...]

    def confirm(self, hashes: Sequence[str]) -> None:
        """Tell the configs that everything was stored.

        Args:
            hashes: what the swarm answered to the stores, in their order.

        Raises:
            LocalProtocolError: another number of hashes.
        """
        if len(hashes) != len(self.stores):
            raise LocalProtocolError(f"{len(self.stores)} stores have as many hashes, not {len(hashes)}")
        at = 0
        for config, seqno, count in self.seqnos:
            config.confirm_pushed(seqno, hashes[at : at + count])
            at += count


def plan_push(configs: Iterable[Config], now_ms: int, *, forced: bool = False) -> PushPlan:
    """Push every config that needs it; conversations not read for long are removed first.

    Args:
        configs: of one account or one group.
        now_ms: unix time, ms.
        forced: push all. Desktop forces a sync every two days; whether that stores an unchanged config again
            is not known.

    Raises:
        LocalProtocolError: a config is too large or has no key.
    """
    stores: list[StoreConfig] = []
    obsolete: set[str] = set()
    seqnos: list[tuple[Config, int, int]] = []
    for config in configs:
        if not (config.needs_push or (forced and config.can_write)):
            continue
        if config.kind is CONVERSATIONS:
            Conversations(config).prune(now_ms)
        push = config.push(now_ms)
        stores += [StoreConfig(config.kind.namespace, part) for part in push.parts]
        obsolete.update(push.obsolete)
        seqnos.append((config, push.seqno, len(push.parts)))
    delete = DeleteHashes(tuple(sorted(obsolete))) if obsolete else None
    return PushPlan(tuple(stores), delete, tuple(seqnos))


def plan_extension(configs: Iterable[Config], now_ms: int, extension_ms: int) -> ExtendHashes | None:
    """Extend, at a poll, what the configs stand on; None if nothing is known to be stored.

    Args:
        extension_ms: to how far ahead.
    """
    hashes = {name for config in configs for name in config.active_hashes(now_ms)}
    return ExtendHashes(tuple(sorted(hashes)), now_ms + extension_ms) if hashes else None
