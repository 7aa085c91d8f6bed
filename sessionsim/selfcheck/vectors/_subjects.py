"""The modules that hold sections, imported so that they register; the order is that of `--emit`."""

from __future__ import annotations

from sessionsim.selfcheck.vectors import (
    blinded_message,
    blinding,
    configs,
    direct_message,
    groups,
    identity,
    multi_encrypt,
    names,
    onion,
    onion_layers,
    push,
    storage,
    swarm,
    xed25519,
)

__all__ = [
    "blinded_message",
    "blinding",
    "configs",
    "direct_message",
    "groups",
    "identity",
    "multi_encrypt",
    "names",
    "onion",
    "onion_layers",
    "push",
    "storage",
    "swarm",
    "xed25519",
]
