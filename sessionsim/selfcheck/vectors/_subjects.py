"""The modules that hold sections, imported so that they register; the order is that of `--emit`."""

from __future__ import annotations

from sessionsim.selfcheck.vectors import identity

__all__ = ["identity"]
