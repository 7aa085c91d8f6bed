"""Every decoder, given the inputs of the plan: nothing but results and documented errors.

`python -m tests.fuzz` does the same without pytest and prints the number and the rate for each decoder.
"""

from __future__ import annotations

import pytest

from tests.fuzz.decoder import Decoder
from tests.fuzz.decoders import DECODERS
from tests.fuzz.inputs import run
from tests.fuzz.plan import FULL, PLAN


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_inputs_of_the_plan(decoder: Decoder) -> None:
    outcome = run(decoder, PLAN[decoder.name])
    assert outcome.given == PLAN[decoder.name]
    if FULL and decoder.seeds and decoder.errors:
        # Variations that are all accepted, or none of them, would test little.
        assert 0 < outcome.accepted < outcome.given
