"""What is kept of a call once it has been read, each kind once: polls of one account are alike for hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

NO_MESSAGE: Final = -1


class Brief(NamedTuple):
    """What is kept of a call.

    Args:
        method: its name.
        account: whom it is about; empty for nobody.
        namespace: None for none that is a number.
        message: number of the message it stores; NO_MESSAGE for none.
        cursor: the newest hash its sender says to have; empty for none.
    """

    method: str
    account: bytes
    namespace: int | None
    message: int
    cursor: str


class Asked(NamedTuple):
    """What is kept of the calls of one request.

    Args:
        briefs: one per call.
        cursors: what the sender has already, by its own words, as a term; empty where it does not say.
        saying: place of the first call that says so.
    """

    briefs: tuple[Brief, ...]
    cursors: str
    saying: int


class Briefs:
    """Briefs without a message, and what several of them say together."""

    def __init__(self) -> None:
        self._briefs: dict[tuple[str, bytes, int, str], Brief] = {}
        self._asked: dict[tuple[Brief, ...], Asked] = {}

    def plain(self, call: tuple[str, bytes, int, str]) -> Brief:
        """Give the brief of a call that stores nothing. Args: call: method, account, namespace, cursor."""
        brief = self._briefs.get(call)
        if brief is None:
            method, account, namespace, cursor = call
            brief = self._briefs[call] = Brief(method, account, namespace, NO_MESSAGE, cursor)
        return brief

    def together(self, briefs: Sequence[Brief]) -> Asked:
        """Give what is kept of a request with these calls: for the same ones without messages the same."""
        key = tuple(briefs)
        asked = self._asked.get(key)
        if asked is None:
            asked = _together(key)
            if all(brief.message == NO_MESSAGE for brief in key):
                self._asked[key] = asked
        return asked


def _together(briefs: tuple[Brief, ...]) -> Asked:
    saying = [place for place, brief in enumerate(briefs) if brief.cursor]
    if not saying:
        return Asked(briefs, "", -1)
    said = " ".join(f"{briefs[place].namespace}:{briefs[place].cursor}" for place in saying)
    return Asked(briefs, f"cursors:{said}", saying[0])
