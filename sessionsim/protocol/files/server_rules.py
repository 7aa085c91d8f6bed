"""What a file server allows, as numbers a scenario may change (messages 6.3, client-behaviour 6.5).

The deployed values are not known. Defaults are what clients count on; the repository's own defaults and the
behaviour of older servers are named with each.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_S

_BASE = "session-file-server: fileserver/config_base.py"
_ROUTES = "session-file-server: fileserver/routes.py"


@dataclass(frozen=True, slots=True)
class FileServerRules:
    """Limits and versions of a file server. Times in microseconds."""

    max_bytes: int = setting(
        10_223_616,
        unit="bytes",
        low=1,
        doc="Largest file stored.",
        source="Assumption: the largest blob of a client (messages 6.2; libsession-util: "
        f"include/session/attachments.hpp says servers take it); 6 000 000 in {_BASE}",
    )
    lifetime_us: int = setting(
        14 * US_PER_DAY,
        unit="us",
        low=1,
        doc="How long a file is kept if the client names no time.",
        source=f"client-behaviour 6.5: 14 days as iOS assumes; 3 weeks in {_BASE}",
    )
    longest_lifetime_us: int = setting(
        14 * US_PER_DAY,
        unit="us",
        low=0,
        doc="Longest time a client may name in X-FS-TTL; 0: the header is ignored.",
        source=f"Assumption: as long as the default; ignored in {_BASE}",
    )
    ids: str = setting(
        "hash",
        doc="Ids are a hash of the file, or, on older servers, random numbers of 53 bits.",
        source=f"client-behaviour 6.5; {_BASE} (BACKWARDS_COMPAT_IDS, there on)",
        choices=("hash", "number"),
    )
    cleanup_period_us: int = setting(
        15 * US_PER_S,
        unit="us",
        low=1,
        doc="How often expired files are removed.",
        source="client-behaviour 6.5; session-file-server: fileserver/cleanup.py",
    )
    serves_expired: bool = setting(
        False,
        doc="Expired files are served until they are removed, as servers before October 2025 did.",
        source=f"{_ROUTES}: versions before files moved to disk do not look at the expiry",
    )
    says_expiry: bool = setting(
        True,
        doc="The answer to an upload names the expiry, and that to a download has an Expires header.",
        source=f"{_ROUTES}; not in November 2024",
    )
    never_shortens: bool = setting(
        True,
        doc="Uploading a file again keeps the later expiry; older servers set it anew, even if earlier.",
        source=f"{_ROUTES}: GREATEST in 2026, plain in November 2024",
    )
    extends: bool = setting(
        True,
        doc="POST /file/<id>/extend exists.",
        source=f"client-behaviour 6.5 (new); {_ROUTES}",
    )
    release_notes_bytes: int = setting(
        1500,
        unit="bytes",
        low=0,
        high=1_000_000,
        doc="Length of the notes that come with the newest version of an app.",
        source="Assumption: some dozen lines; their text is copied from the place that publishes the app",
    )
