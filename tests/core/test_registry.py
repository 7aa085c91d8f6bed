from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sessionsim.core.errors import InvalidInput, RegistryError
from sessionsim.core.registry import Registry
from sessionsim.core.settings import facts_of, setting


@dataclass(frozen=True, slots=True)
class Config:
    x: int = setting(1, doc="One.", source="Assumption: one")
    plain: int = 2


def named(module: str) -> type[Any]:
    return type("Drop", (), {"__module__": module, "__doc__": "First line.\n\nSecond."})


def test_an_entry_is_named_like_its_file() -> None:
    registry: Registry[type[Any]] = Registry("thing", "nowhere")
    registry.register(config=Config, source="paper")(named("a.b.two_words"))
    registry.register(config=Config, source="paper")(named("a.b.alone"))
    assert [entry.id for entry in registry] == ["alone", "two-words"]
    entry = registry["two-words"]
    assert (entry.summary, entry.source, entry.config) == ("First line.", "paper", Config)


def test_duplicates_bad_names_and_missing_sources_are_refused() -> None:
    registry: Registry[type[Any]] = Registry("thing", "nowhere")
    registry.register(config=Config, source="paper")(named("a.b.one"))
    with pytest.raises(RegistryError, match="twice"):
        registry.register(config=Config, source="paper")(named("c.one"))
    for module, source in (("a.Two", "paper"), ("a._two", "paper"), ("a.two", "")):
        with pytest.raises(RegistryError):
            registry.register(config=Config, source=source)(named(module))


def test_an_unknown_name_is_told_what_there_is() -> None:
    registry: Registry[type[Any]] = Registry("thing", "nowhere")
    with pytest.raises(InvalidInput, match="none"):
        registry["x"]
    registry.register(config=Config, source="paper")(named("a.one"))
    with pytest.raises(InvalidInput, match="one of one"):
        registry["x"]


def test_the_scan_takes_public_modules_in_order_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "dropins_under_test"
    package.mkdir()
    (package / "__init__.py").write_text("seen = []\n")
    for name in ("b", "a", "_hidden"):
        (package / f"{name}.py").write_text(f"from dropins_under_test import seen\nseen.append({name!r})\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry: Registry[type[Any]] = Registry("thing", "dropins_under_test")
    registry.scan()
    registry.scan()
    assert sys.modules["dropins_under_test"].seen == ["a", "b"]
    for name in ("dropins_under_test", "dropins_under_test.a", "dropins_under_test.b"):
        monkeypatch.delitem(sys.modules, name)


def test_settings_are_listed_in_order_with_their_facts() -> None:
    facts = facts_of(Config)
    assert list(facts) == ["x"]
    assert facts["x"].is_assumption
    assert Config().x == 1
