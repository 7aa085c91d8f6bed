"""How many inputs each decoder gets: a million and more in `make verify`, a fortieth in `make test`."""

from __future__ import annotations

import os

from tests.fuzz.decoders import DECODERS

FULL = bool(os.environ.get("SESSIONSIM_FULL"))
LEAST_IN_FULL = 1_000_000  # the number, without those of hypothesis
SHARE_OF_QUICK = 40  # `make test` gives one in so many
_PER_SHARE = 2_600

# Inputs by the name of the decoder.
PLAN = {
    decoder.name: decoder.share * (_PER_SHARE if FULL else _PER_SHARE // SHARE_OF_QUICK)
    for decoder in DECODERS
}
# Inputs that hypothesis makes for each decoder, beside these.
EXAMPLES = 600 if FULL else 12
