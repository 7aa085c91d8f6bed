"""The people of a run, as far as a workload may know them: what they use and where they live."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class People:
    """Accounts 0..n-1.

    Args:
        platforms: platform of each account's first device.
        countries: two-letter country of each account.

    Raises:
        InvalidInput: not as many countries as platforms.
    """

    platforms: tuple[str, ...]
    countries: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.platforms) != len(self.countries):
            raise InvalidInput("people", len(self.countries), f"{len(self.platforms)} countries")

    def __len__(self) -> int:
        return len(self.platforms)

    @classmethod
    def alike(cls, n: int, platform: str = "desktop", country: str = "DE") -> People:
        """Make n people of one platform and country; they differ in their numbers alone."""
        return cls((platform,) * n, (country,) * n)
