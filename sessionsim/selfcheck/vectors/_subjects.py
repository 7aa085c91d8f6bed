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
    v2_groups,
    v2_keys,
    v2_links,
    v2_messages,
    v2_payloads,
    v2_receiving,
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
    "v2_groups",
    "v2_keys",
    "v2_links",
    "v2_messages",
    "v2_payloads",
    "v2_receiving",
    "xed25519",
]
