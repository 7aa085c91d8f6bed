"""The command line: one verb per file, no logic of its own.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 a bug of ours, 2 wrong input,
130 interrupted.
"""

from __future__ import annotations

from sessionsim.cli._entry import main

__all__ = ["main"]
