"""What a community allows and how long it keeps things, as numbers a scenario may change.

Defaults are those of session-pysogs (2023), except where live servers are known to differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_S

_AUTH = "messages 8; session-pysogs: sogs/routes/auth.py"
_CONFIG = "session-pysogs: sogs/config.py"


@dataclass(frozen=True, slots=True)
class CommunityRules:
    """Limits, windows and lifetimes of a community server."""

    require_blinding: bool = setting(
        True, doc="Refuse 00 keys and announce the capability `blind`.", source=_AUTH
    )
    clock_window_us: int = setting(
        US_PER_DAY,
        unit="us",
        low=0,
        doc="How far the time of a signed request may be from the server's clock, either way.",
        source=_AUTH,
    )
    nonce_memory_us: int = setting(
        US_PER_DAY,
        unit="us",
        low=0,
        doc="How long a nonce is remembered and refused.",
        source="session-pysogs: sogs/schema.sqlite (user_request_nonces)",
    )
    nonces_are_global: bool = setting(
        True,
        doc="A nonce used by anybody is refused to everybody; otherwise each id has its own.",
        source="session-pysogs: sogs/schema.sqlite has the nonce alone unique; messages 8 says per user",
    )
    limit_default: int = setting(
        100, low=1, doc="Posts in an answer that asks for no number.", source="messages 8"
    )
    limit_max: int = setting(256, low=1, doc="Most posts in one answer.", source="messages 8")
    reactors_default: int = setting(
        4, low=0, doc="Names given with a reaction.", source="session-pysogs: sogs/routes/messages.py"
    )
    reactors_max: int = setting(
        20, low=0, doc="Most names given with a reaction.", source="session-pysogs: sogs/routes/messages.py"
    )
    reaction_length_max: int = setting(
        12, low=1, doc="Most code points in a reaction.", source="session-pysogs: sogs/model/room.py"
    )
    posts_per_interval: int = setting(
        5,
        low=0,
        doc="Posts of one id in a room within the interval, then 429; 0 for no limit. Admins have none.",
        source="session-pysogs: sogs/model/room.py (rate_limit_size)",
    )
    post_interval_us: int = setting(
        16 * US_PER_S,
        unit="us",
        low=0,
        doc="The interval of that limit.",
        source="session-pysogs: sogs/model/room.py (rate_limit_interval)",
    )
    direct_lifetime_us: int = setting(
        15 * US_PER_DAY,
        unit="us",
        low=0,
        doc="How long an inbox message is kept.",
        source=f"messages 8; {_CONFIG} (DM_EXPIRY)",
    )
    file_max_bytes: int = setting(
        10_000_000, unit="bytes", low=1, doc="Largest upload.", source="messages 8; client-behaviour 6.5"
    )
    file_unposted_us: int = setting(
        3600 * US_PER_S,
        unit="us",
        low=0,
        doc="How long an upload waits for the post that names it.",
        source="session-pysogs: sogs/routes/rooms.py (upload_file)",
    )
    file_lifetime_us: int = setting(
        15 * US_PER_DAY,
        unit="us",
        low=0,
        doc="How long an upload is kept from the post that names it.",
        source=f"client-behaviour 6.5; {_CONFIG} (UPLOAD_DEFAULT_EXPIRY)",
    )
    history_us: int = setting(
        30 * US_PER_DAY,
        unit="us",
        low=0,
        doc="How long the old text of an edited or deleted post is kept.",
        source=f"{_CONFIG} (MESSAGE_HISTORY_PRUNE_THRESHOLD)",
    )
    active_us: int = setting(
        7 * US_PER_DAY,
        unit="us",
        low=0,
        doc="How recently an id must have polled a room to be counted as active.",
        source=f"{_CONFIG} (ROOM_DEFAULT_ACTIVE_THRESHOLD)",
    )
    activity_memory_us: int = setting(
        60 * US_PER_DAY,
        unit="us",
        low=0,
        doc="How long the time of an id's last poll of a room is kept.",
        source=f"{_CONFIG} (ROOM_ACTIVE_PRUNE_THRESHOLD)",
    )
    cleanup_period_us: int = setting(
        10 * US_PER_S,
        unit="us",
        low=1,
        doc="How often expired things are removed and active ids are counted.",
        source="session-pysogs: sogs/cleanup.py (INTERVAL)",
    )
    batch_depth: int = setting(
        8,
        low=1,
        doc="How deep batches may stand in each other.",
        source="Assumption: the server's own limit is its stack; no client nests them",
    )
    batch_answer_max_bytes: int = setting(
        10 * 1024 * 1024,
        unit="bytes",
        low=1,
        doc="Bytes of answers beyond which a batch is given up: a few bytes of it can ask for many posts.",
        source="transport 3.5: no longer answer comes back through nodes. That the server stops is an "
        "Assumption; the real one has no limit (sogs/routes/general.py)",
    )
