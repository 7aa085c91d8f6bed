"""The door of the program: loads the rest only inside, so that Ctrl-C while it loads ends quietly too."""

from __future__ import annotations

import sys

from sessionsim.cli._threads import use_one_thread


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. Ends with SystemExit: 0 done, 1 a bug, 2 wrong input, 130 interrupted."""
    use_one_thread()
    try:
        from sessionsim.cli._app import run

        run(arguments)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
