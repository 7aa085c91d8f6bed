"""Fuzz from the command line: `python -m tests.fuzz [--inputs N] [--start K] [WORD …]`.

Without arguments the plan of `make verify`, with the number of inputs, how many of them were accepted, and
the rate for each decoder; words choose the decoders whose name contains one of them. Another start, other
inputs: `--start` is how to go on looking.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.fuzz.decoder import Fault
from tests.fuzz.decoders import DECODERS
from tests.fuzz.inputs import run
from tests.fuzz.plan import PLAN


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--inputs", type=int, help="for each decoder; by default those of the plan")
    parser.add_argument("--start", type=int, default=0, help="other inputs")
    parser.add_argument("words", nargs="*", help="parts of names of decoders")
    options = parser.parse_args()
    total, faults, began = 0, 0, time.process_time()
    for decoder in DECODERS:
        if options.words and not any(word in decoder.name for word in options.words):
            continue
        count, started = options.inputs or PLAN[decoder.name], time.process_time()
        try:
            outcome = run(decoder, count, options.start)
        except Fault as fault:
            faults += 1
            print(f"FAULT {fault}")
            continue
        seconds = time.process_time() - started
        total += count
        print(
            f"{count:8} inputs {outcome.accepted / count:6.1%} accepted"
            f" {count / seconds:9.0f} a second  {decoder.name}"
        )
    seconds = time.process_time() - began
    print(
        f"{total} inputs, {len(DECODERS)} decoders,"
        f" {total / max(seconds, 0.001):.0f} a second, {faults} faults"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
