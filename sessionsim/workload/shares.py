"""Mixes as a person writes them: "photo 48, video 15", each word with its weight."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sessionsim.core.errors import InvalidInput

_PART: Final = re.compile(r"\s*([a-z]+)\s+(\d{1,6}(?:\.\d{1,6})?)\s*\Z", re.ASCII)


def read_shares(key: str, text: str, words: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Read a mix: the words in the order given, each with its share; shares add up to 1.

    Args:
        key: what the mix is called in a scenario.
        words: those allowed; each at most once, none is needed.

    Raises:
        InvalidInput: another form, a word twice or unknown, or no weight above 0.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        match = _PART.match(part)
        if match is None or match[1] not in words or match[1] in found:
            raise InvalidInput(
                key, part.strip(), f'parts like "{words[0]} 40", each once, of {", ".join(words)}'
            )
        found[match[1]] = float(match[2])
    total = sum(found.values())
    if not total > 0:
        raise InvalidInput(key, text, "at least one weight above 0")
    return tuple((word, weight / total) for word, weight in found.items())


def choose(shares: Sequence[tuple[str, float]], u: float) -> str:
    """Give the word at a uniform number in [0, 1)."""
    for word, share in shares:
        if u < share:
            return word
        u -= share
    return next(word for word, share in reversed(shares) if share > 0)  # shares add up to 1 but for rounding
