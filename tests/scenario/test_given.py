from __future__ import annotations

from typing import Any

import pytest

from sessionsim.adversary import VANTAGES
from sessionsim.core.errors import InvalidInput
from sessionsim.scenario.given import settings_given


def given(**settings: Any) -> Any:
    VANTAGES.scan()
    return settings_given("phrase-thief", VANTAGES["phrase-thief"].config, settings, "--as")


def test_what_is_given_is_taken_and_the_rest_has_its_default() -> None:
    found = given(client=2, at="30 s")
    assert (found.client, found.at_us, found.asks_swarm) == (2, 30_000_000, True)
    assert given() == VANTAGES["phrase-thief"].config()


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"klient": 1}, "settings of phrase-thief: client"), ({"client": "one"}, "client=one"),
     ({"at": "soon"}, "at=soon"), ({"at": 3}, "at=3"), ({"client": -1}, "client=-1")],
)  # fmt: skip
def test_what_is_not_allowed_is_told(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        given(**settings)
