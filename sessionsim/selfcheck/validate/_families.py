"""The modules that hold checks, imported so that they register."""

from __future__ import annotations

from sessionsim.selfcheck.validate import (
    anchors,
    channels,
    correlation,
    delays,
    disclosure,
    entropies,
    mixes,
    paths,
    structure,
    timing,
    workload,
)

__all__ = [
    "anchors", "channels", "correlation", "delays", "disclosure", "entropies", "mixes", "paths", "structure",
    "timing", "workload",
]  # fmt: skip
