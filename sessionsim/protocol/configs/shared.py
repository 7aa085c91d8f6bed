"""Configs under keys that an account's devices share, and not under its seed: the what-if of hole H9."""

from __future__ import annotations

from collections.abc import Sequence

from sessionsim.protocol.configs.config import Config
from sessionsim.protocol.configs.kinds import Kind
from sessionsim.protocol.configs.rules import ConfigRules
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account


def shared_config(
    kind: Kind, suite: Suite, owner: Account, keys: Sequence[bytes], rules: ConfigRules | None = None
) -> Config:
    """Make an empty config of an account under keys that its devices share; without the wrapper.

    Whoever needs the wrapper has no such keys, so it is left off.

    Args:
        keys: the newest first; none for a device that has none yet.

    Source: Assumption: protocol-v2 11 H9, what if.
    """
    return Config(kind, suite, keys, owner=owner, rules=rules, wraps=False)
