from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from sessionsim.core.settings import facts_of, setting


@dataclass(frozen=True, slots=True)
class Retry:
    timeout_us: int = setting(dataclasses.MISSING, unit="us", doc="Wait.", source="spec 1", low=0, high=9)
    way: str = setting("a", doc="Way.", source="Assumption: a", choices=("a", "b"))
    file: str = setting("", doc="File.", source="spec 2", path=True)


def test_a_setting_keeps_what_is_known_about_it() -> None:
    facts = facts_of(Retry)
    assert list(facts) == ["timeout_us", "way", "file"]
    assert (facts["timeout_us"].unit, facts["timeout_us"].low, facts["timeout_us"].high) == ("us", 0, 9)
    assert not facts["timeout_us"].is_assumption
    assert facts["way"].is_assumption
    assert facts["way"].choices == ("a", "b")
    assert facts["file"].path


def test_a_setting_without_default_is_required() -> None:
    with pytest.raises(TypeError):
        Retry()  # type: ignore[call-arg]
    assert Retry(3).timeout_us == 3
