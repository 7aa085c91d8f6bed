"""What there is to learn, in plain words, and what an observer's share of it is called.

*Knows* is said only of facts in a ledger. An empty cell says *not seen here*: in this run, by this
observer, from bytes alone. It never says that something cannot be learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sessionsim.core.readings import Reading
from sessionsim.report._data import Readings
from sessionsim.report._numbers import percent_digits, span_of


class Secret(NamedTuple):
    """A row of the matrix.

    Args:
        id: as in metrics 0.2.
        title: of the row.
        object: follows "knows".
        nouns: what is counted.
        rare: shown only where somebody knows any of it.
    """

    id: str
    title: str
    object: str
    nouns: str
    rare: bool = False


SECRETS: Final = (
    Secret("S6", "Which address an account uses", "the network address", "accounts"),
    Secret(
        "S6-named", "Account whose id an address sends", "the account id that stands beside it", "accounts"
    ),
    Secret(
        "S6-other", "Address known by a call or a device", "an address in another way", "accounts", rare=True
    ),
    Secret("S5", "Who talks to whom", "who talks to whom", "contacts"),
    Secret("S5-address", "Which address reaches which", "both addresses", "contacts"),
    Secret("S5-asked", "Whom an address asks about", "whom the address asked about", "contacts"),
    Secret("S1", "Address a message came from", "the sender's address", "messages"),
    Secret("S1-sync", "Address a sync copy came from", "the address of the sync copy", "sync copies"),
    Secret("S1-named", "Address that stands in a message", "an address of the sender", "messages", rare=True),
    Secret("S2", "Account that wrote a message", "the sender's account", "messages"),
    Secret("S2-named", "Writer's id that stands in a message", "the sender's id", "messages", rare=True),
    Secret("S3", "Account a message is for", "the recipient's account", "messages"),
    Secret("S4", "Address a message went to", "the recipient's address", "messages"),
    Secret("S7", "When an account is online", "when the account is online", "accounts"),
    Secret("S7-address", "When an address is online", "when the address is online", "accounts"),
    Secret("S8", "Whole list of contacts", "all contacts", "lists of contacts"),
    Secret("S8-weight", "Both ends of a message", "both ends", "messages"),
    Secret("S9", "Who is in which group", "who is a member", "memberships"),
    Secret("S9-token", "That a group has this member", "the member's token", "memberships"),
    Secret("S9-role", "Who leads a group", "who is an admin", "offices"),
    Secret("S10", "Stored size of a message", "the stored size", "messages"),
    Secret("S10-type", "What a message is", "what it is", "messages"),
    Secret("S11", "That a transmission is a message", "that it is no dummy", "messages"),
    Secret("S12", "Country of an account", "the account's country", "accounts"),
    Secret(
        "S12-zone", "Time zone of an account, where its country has only one", "its time zone", "accounts"
    ),
    Secret("S12-address", "Country of an address", "the address's country", "accounts"),
    Secret("S13", "Who is behind a community's name", "who is behind it", "blinded ids"),
    Secret("S13-token", "Who is behind a group's token", "who is behind it", "tokens"),
    Secret("S13-devices", "How many devices an account has", "the number", "accounts with several devices"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One observer and one secret. Args: disc: empty, half or full; word, share, interval: texts."""

    disc: str
    word: str
    share: str
    interval: str


# Rows that a page shows even where a run has nothing of the kind.
_ALWAYS: Final = frozenset(("S1", "S1-sync", "S2", "S3", "S4", "S5", "S6", "S7"))
# What is counted beside the accounts that it belongs to.
_COUNTED: Final = tuple(dict.fromkeys(secret.nouns for secret in SECRETS if secret.nouns != "accounts"))


def known_of(reading: Reading) -> tuple[float, float]:
    """Give how many items are known, and of how many."""
    total = next((reading.counts[noun] for noun in _COUNTED if noun in reading.counts), None)
    return reading.counts.get("known", 0.0), reading.counts.get("accounts", 0.0) if total is None else total


def cell_of(reading: Reading | None, nouns: str) -> Cell:
    """Describe a reading of `who-learned-what` as a cell of the matrix."""
    if reading is None:
        return Cell("none", "not looked at", "", "")
    known, total = known_of(reading)
    if total == 0:
        return Cell("none", f"no {nouns} in this run", "", "")
    share = f"{known:,.0f} of {total:,.0f} {nouns} ({percent_digits(known / total)} %)"
    if known == 0:
        return Cell("empty", "not seen here", share, span_of(reading))
    if known == total:
        return Cell("full", "knows", share, span_of(reading))
    return Cell("half", "knows some", share, span_of(reading))


def matrix(readings: Readings, observers: Sequence[str] = ()) -> list[tuple[Secret, list[Cell]]]:
    """Give the rows of the matrix, one cell per observer; empty without a ledger.

    Args:
        observers: in the order of the columns; none for all there are, as stored.
    """
    observers = observers or readings.observers()
    if not observers:
        return []
    rows = [
        (
            secret,
            [
                cell_of(readings.get("who-learned-what", f"{observer}: {secret.id}"), secret.nouns)
                for observer in observers
            ],
        )
        for secret in SECRETS
    ]
    return [(secret, cells) for secret, cells in rows if _is_shown(secret, cells)]


def _is_shown(secret: Secret, cells: list[Cell]) -> bool:
    """Say whether a row has anything to say: there is something to know, and it is not rare for nobody."""
    there = any(cell.disc != "none" for cell in cells)
    return (there or secret.id in _ALWAYS) and (not secret.rare or _anything(cells))


def _anything(cells: list[Cell]) -> bool:
    return any(cell.disc in ("half", "full") for cell in cells)


def unsound(readings: Readings) -> list[str]:
    """Name the observers whose ledgers are wrong: contradicted by truth, or lessened by joining."""
    found = []
    for reading in readings.of("who-learned-what"):
        if reading.unit == "count" and reading.value:
            found.append(f"{reading.name}: {reading.value:,.0f}")
    return found
