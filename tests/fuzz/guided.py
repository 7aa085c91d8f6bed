"""Coverage-guided fuzzing of one decoder: `python -m tests.fuzz.guided NAME [--runs N] [--seed K]`.

Needs atheris (`pip install -e '.[fuzz]'`; Linux). It instruments the protocol room, starts from the decoder's
seeds and looks for inputs that reach new code; a `Fault` ends it and writes the input beside. The other
half of the fuzzing, `python -m tests.fuzz`, needs no instrumentation and is what `make verify` counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path


def main(arguments: list[str] | None = None) -> None:
    """Fuzz until the runs are used up, a fault is found, or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided")
    parser.add_argument("name", help="a decoder, as `python -m tests.fuzz` prints it")
    parser.add_argument("--runs", type=int, default=100_000, help="inputs at the most")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other inputs")
    options = parser.parse_args(arguments)
    try:
        import atheris
    except ImportError:
        sys.exit("guided fuzzing needs atheris: pip install -e '.[fuzz]'")

    with atheris.instrument_imports(include=["sessionsim.protocol"]):
        from tests.fuzz.decoder import check_held, passes
        from tests.fuzz.decoders import DECODERS
    chosen = [decoder for decoder in DECODERS if decoder.name == options.name]
    if not chosen:
        near = ", ".join(decoder.name for decoder in DECODERS if options.name in decoder.name)
        sys.exit(f"no decoder is named {options.name!r}; near: {near or 'none'}")
    decoder = chosen[0].fresh()

    def one(raw: bytes) -> None:
        passes(decoder, raw)
        check_held(decoder)

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(decoder.seeds):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        flags = [f"-runs={options.runs}", f"-seed={options.seed}", "-max_len=20000"]
        atheris.Setup([sys.argv[0], *flags, corpus], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
