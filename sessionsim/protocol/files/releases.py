"""What the file server knows of the newest clients, and how it says it (client-behaviour 6.5).

A client learns of a new release here and not from the place that publishes it, which would see its address.
Source: session-file-server: fileserver/routes.py (get_session_version).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sessionsim.protocol.wire.file_json import seconds

STABLE: Final = "stable"  # channel of a request that names none. Source: see above
PRERELEASE: Final = "prerelease"  # told with every answer. Source: see above


@dataclass(frozen=True, slots=True)
class Release:
    """The newest client of a platform.

    Args:
        version: like 1.17.0.
        updated_us: when the server last looked, unix µs.
        name, notes: texts of the release; empty for none.
        assets: name and address of each download.
        channel: stable, prerelease or alpha.
    """

    version: str
    updated_us: int
    name: str = ""
    notes: str = ""
    assets: tuple[tuple[str, str], ...] = ()
    channel: str = STABLE


# Source: client-behaviour (versions read); that of desktop: Assumption.
_NEWEST: Final = {"android": "1.33.4", "desktop": "1.17.14", "ios": "2.15.2"}
# Assumption: one download for each; desktop has some more.
_PLACES: Final = "https://github.com/session-foundation/session-{0}/releases/download/v{1}/session-{0}-{1}"

Releases = Mapping[tuple[str, str], Release]  # by platform and channel


def newest(updated_us: int, notes_bytes: int) -> tuple[tuple[str, Release], ...]:
    """Give the newest client of each platform, with notes that are filler.

    Args:
        updated_us: unix µs. notes_bytes: length of the notes.
    """
    return tuple(
        (
            platform,
            Release(
                version,
                updated_us,
                f"v{version}",
                "n" * notes_bytes,
                ((f"session-{platform}-{version}", _PLACES.format(platform, version)),),
            ),
        )
        for platform, version in _NEWEST.items()
    )


def version_answer(releases: Releases, platform: str, channel: str) -> dict[str, Any] | None:
    """Give the fields of the answer; None if there is no such release."""
    release = releases.get((platform, channel))
    if release is None:
        return None
    updated = seconds(release.updated_us)
    fields = {"status_code": 200, "updated": updated, **_release(release)}
    ahead = releases.get((platform, PRERELEASE))
    if ahead is not None:
        newest = _release(ahead)
        fields["prerelease"] = {"result": newest.pop("result"), "updated": updated, **newest}
    return fields


def _release(release: Release) -> dict[str, Any]:
    fields: dict[str, Any] = {"result": release.version}
    if release.name:
        fields["name"] = release.name
    if release.notes:
        fields["notes"] = release.notes
    if release.assets:
        fields["assets"] = [{"name": name, "url": url} for name, url in release.assets]
    return fields
