"""Every decoder, given what hypothesis makes of its form: values from nothing, names from its seeds."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.decoder import Decoder, check_held, passes
from tests.fuzz.decoders import DECODERS
from tests.fuzz.forms import FORMS
from tests.fuzz.plan import EXAMPLES

# No shrinking: a fault names its input, and machines do not forget.
HOW = settings(
    deadline=None,
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_what_hypothesis_makes(decoder: Decoder) -> None:
    fresh, form = decoder.fresh(), FORMS[decoder.form]
    made = st.one_of(form.strategy(decoder.seeds), st.sampled_from(decoder.seeds or (b"",)))

    @HOW
    @given(made, made, st.integers(0, 400), st.integers(0, 3))
    def give(raw: bytes, other: bytes, at: int, way: int) -> None:
        passes(fresh, raw if way < 2 else raw[:at] + other if way == 2 else raw[:at] + other + raw[at:])

    give()
    check_held(fresh)
