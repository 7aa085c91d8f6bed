"""Vantages that a question names and the scenario does not: a kind, and its settings where they matter.

    guard                              a kind with its default settings; it may be shortened
    phrase-thief:client=2:at=30 s      with some settings, each written as in a scenario

Settings that are lists cannot be given here.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any, NamedTuple

from sessionsim.adversary import VANTAGES, Vantage
from sessionsim.core.errors import InvalidInput
from sessionsim.scenario.given import settings_given


class AskedKind(NamedTuple):
    """A kind that was asked for. Args: given: keys and values as they were written."""

    kind: str
    vantage: Vantage
    given: Mapping[str, Any]

    @property
    def declared(self) -> str:
        """How a scenario declares it, as text."""
        settings = {"kind": self.kind, **self.given}
        written = ", ".join(f"{key} = {_toml(value)}" for key, value in settings.items())
        return f"[vantages.{self.kind}] with {written}"


def asked_kind(text: str, declared: Sequence[str]) -> AskedKind:
    """Find the kind that a text names, and make a vantage of it.

    Args:
        declared: names of the scenario's observers, to tell what else there is.

    Raises:
        InvalidInput: no such kind, several that begin so, or a setting that it has not.
    """
    VANTAGES.scan()
    name, *settings = (part.strip() for part in text.split(":"))
    every = [entry.id for entry in VANTAGES if entry.id != "coalition"]
    kinds = [kind for kind in every if kind.startswith(name)]
    if name not in kinds and len(kinds) != 1:
        known = tuple(dict.fromkeys((*declared, *every)))
        allowed = f"observers of the run or kinds of vantages: {', '.join(known)}"
        raise InvalidInput("--as", text, allowed, nearest(name, known, kinds))
    entry = VANTAGES[name if name in kinds else kinds[0]]
    given = dict(_setting(text, one) for one in settings)
    config = settings_given(entry.id, entry.config, given, "--as")
    return AskedKind(entry.id, entry.factory(config), given)


def nearest(name: str, known: Sequence[str], begun: Sequence[str]) -> str:
    """Say which observer may be meant; empty for none.

    Args:
        name: what was given.
        known: all names there are.
        begun: those that begin with it.
    """
    if name and len(begun) > 1:
        return f"Several begin so: {', '.join(begun)}."
    if " " in name.strip():
        return "Put commas between names."
    near = difflib.get_close_matches(name.lower(), known, 1)
    return f"Nearest: {near[0]}." if near else ""


def _setting(whole: str, text: str) -> tuple[str, Any]:
    key, equals, written = (part.strip() for part in text.partition("="))
    if not equals or not key or not written:
        raise InvalidInput("--as", whole, "kind:key=value, for example phrase-thief:client=2:at=30 s")
    try:
        value = tomllib.loads(f"v = {written}")["v"]
    except ValueError:
        return key, written
    return key, written if isinstance(value, date | time) else value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
