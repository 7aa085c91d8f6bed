"""Where versions of the reference differ in their handling of configs, and the times they keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.protocol.configs.message import LAG

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class ConfigRules:
    """How one version of the reference handles configs. The defaults are those of the newest known.

    Args:
        lag: how many seqnos back versions can still be merged.
        multipart: split what is too large for one message. libsession-util of January 2025 refuses to push
            such a config, and cannot read parts.
        adopt_identical: a device whose unconfirmed change is exactly what another stored takes that message
            as its own. January 2025 does not: it stays dirty, and deletes the other's message after its next
            push, which stores the very same one.
        whole_diff: see `merging.merge`.
        wait_ms, remember_ms: see `parts.Assembly`.
    """

    lag: int = LAG
    multipart: bool = True  # Source: messages 5.6; libsession-util: tests/test_config_contacts.cpp
    adopt_identical: bool = True  # Source: libsession-util: tests/test_bugs.cpp
    whole_diff: bool = False  # Source: messages 5.3
    wait_ms: int = 7 * _DAY_MS  # Source: libsession-util: include/session/config/base.hpp
    remember_ms: int = 14 * _DAY_MS  # Source: libsession-util: include/session/config/base.hpp


# libsession-util 1.2.0. That its merges write the whole data as their diff is read in its code, not seen run.
LSU_2025: Final = ConfigRules(multipart=False, adopt_identical=False, whole_diff=True)
