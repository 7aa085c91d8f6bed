"""Colours of the page and of figures: enough contrast in light and dark, by the rules of WCAG 2.1."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

import sessionsim.report
from sessionsim.report._svg import ROLES

CSS = (Path(sessionsim.report.__file__).parent / "templates/report.css").read_text(encoding="utf-8")


def colours(theme: int) -> dict[str, str]:
    """Give the variables of the light (0) or dark (1) theme."""
    block = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[theme]
    return dict(re.findall(r"--([\w-]+): (#[0-9A-Fa-f]{6})", block))


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_known_pairs() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1])
def test_text_can_be_read_on_every_ground_it_stands_on(theme: int) -> None:
    found = colours(theme)
    pairs = [*product(("ink", "muted"), ("paper", "raised")), ("s1", "paper"), ("paper", "s1")]
    pairs.append(("badge-ink", "badge"))
    assert [pair for pair in pairs if contrast(found[pair[0]], found[pair[1]]) < 4.5] == []


@pytest.mark.parametrize("theme", [0, 1])
def test_series_stand_out_from_the_ground(theme: int) -> None:
    found = colours(theme)
    assert [name for name in ("s1", "s2", "s3", "s4") if contrast(found[name], found["paper"]) < 3] == []


@pytest.mark.parametrize("theme", [0, 1])
def test_figures_have_the_colours_of_the_page(theme: int) -> None:
    found = colours(theme)
    assert {role: values[1 + theme].upper() for role, values in ROLES.items()} == {
        role: found[role].upper() for role in ROLES
    }
