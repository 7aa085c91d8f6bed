"""`python -m sessionsim`: the command line, where its script is not on the path. Nothing else lives here."""

from __future__ import annotations

from sessionsim.cli import main

if __name__ == "__main__":  # spawned workers import this file by another name
    main()
