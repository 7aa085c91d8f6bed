"""The one family of errors.

Every error a caller may want to catch descends from `SessionSimError`. As in h11, a mistake of ours
(`LocalProtocolError`) is not a mistake of theirs (`RemoteProtocolError`). Input errors name the place,
the value found and what is allowed.
"""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 200  # Assumption: more of a wrong value would hide the message around it


class SessionSimError(Exception):
    """Base of all errors raised on purpose by sessionsim."""


class InvalidInput(SessionSimError):
    """A person gave something that cannot be used.

    Args:
        place: where it stands, for example `first-look.toml:12 clients.desktop`.
        found: the value as it was given.
        allowed: what would be accepted, in words.
        hint: the nearest valid spelling or the next step; may be empty.
    """

    def __init__(self, place: str, found: object, allowed: str, hint: str = "") -> None:
        self.place, self.found, self.allowed, self.hint = place, found, allowed, hint
        text = f"{place}: found {_shown(found)}; allowed: {allowed}"
        super().__init__(f"{text}. {hint}" if hint else text)

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[str, object, str, str]]:
        # The default would call the class with the message alone, and lose the error between processes.
        return type(self), (self.place, self.found, self.allowed, self.hint)


def _shown(found: object) -> str:
    try:
        text = repr(found)
    except (ValueError, RecursionError):  # Python refuses to write out a number of thousands of digits
        return "a value too long to show"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class StorageDamaged(SessionSimError):
    """A stored run is incomplete, cut off or of another format."""


class RegistryError(SessionSimError):
    """A drop-in is declared wrongly: duplicate id, id unlike its file name, or no source."""


class ProtocolError(SessionSimError):
    """Base of errors of the simulated protocol."""


class LocalProtocolError(ProtocolError):
    """We used the protocol wrongly: a bug in sessionsim."""


class RemoteProtocolError(ProtocolError):
    """The other side sent something the protocol does not allow."""


class CannotOpen(RemoteProtocolError):
    """A ciphertext does not open with this key: wrong key, wrong cipher or altered bytes."""
