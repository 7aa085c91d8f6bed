"""What the push server does and when, as numbers a scenario may change (client-behaviour 6.4)."""

from __future__ import annotations

from dataclasses import dataclass

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY, US_PER_MIN, US_PER_S

_SPNS = "session-push-notification-server: spns/"


@dataclass(frozen=True, slots=True)
class PushRules:
    """Limits, periods and versions of the push server. Times in microseconds."""

    body_max_bytes: int = setting(
        2500,
        unit="bytes",
        low=0,
        doc="Longest message body that is sent along; longer ones are only announced.",
        source=f"messages 9; {_SPNS}notifiers/apns.py",
    )
    padding_bytes: int = setting(
        256,
        unit="bytes",
        low=1,
        high=4096,
        doc="Pushes are filled up to a multiple of so many bytes before they are encrypted: the size classes "
        "that push platforms see; 1: not at all.",
        source=f"client-behaviour 6.4, messages 9; {_SPNS}notifiers/util.py",
    )
    dict_without_body: str = setting(
        "all",
        doc="Services whose pushes without body carry the metadata as bencode instead of JSON text.",
        source=f"messages 9: all, as in October 2024; later only apple, then none ({_SPNS}notifiers/util.py)",
        choices=("all", "apple", "none"),
    )
    filter_life_us: int = setting(
        5 * US_PER_MIN,
        unit="us",
        low=1,
        doc="A message already pushed to a device is recognised for so long to twice as long.",
        source=f"client-behaviour 6.4: 5 to 10 min; 10 min in the newest {_SPNS}config.hpp",
    )
    renew_least_us: int = setting(
        45 * US_PER_MIN,
        unit="us",
        low=1,
        doc="Earliest renewal of an account's subscription at a node.",
        source=f"client-behaviour 6.4; {_SPNS}hive/snode.hpp",
    )
    renew_most_us: int = setting(
        55 * US_PER_MIN,
        unit="us",
        low=1,
        doc="Latest renewal of an account's subscription at a node.",
        source=f"client-behaviour 6.4; {_SPNS}hive/snode.hpp",
    )
    renewal_bytes: int = setting(
        2000,
        unit="bytes",
        low=1,
        doc="A request to a node is sent once it has grown to so many bytes.",
        source=f"{_SPNS}hive/snode.cpp (SUBS_REQUEST_LIMIT, compared with the length of the text)",
    )
    signature_life_us: int = setting(
        14 * US_PER_DAY,
        unit="us",
        low=1,
        doc="How long a subscription's signature is good for.",
        source=f"messages 9, client-behaviour 6.4; {_SPNS}hive/subscription.hpp",
    )
    signature_early_us: int = setting(
        US_PER_DAY,
        unit="us",
        low=0,
        doc="How far ahead a subscription may be signed.",
        source=f"{_SPNS}hive/subscription.hpp",
    )
    unsubscribe_window_us: int = setting(
        US_PER_DAY,
        unit="us",
        low=0,
        doc="How far the time of an unsubscribe may be off, either way.",
        source=f"{_SPNS}hivemind.hpp (UNSUBSCRIBE_GRACE: the 24 h of client-behaviour 6.4)",
    )
    request_max_bytes: int = setting(
        100_000,
        unit="bytes",
        low=1,
        doc="Largest request of a client.",
        source=f"{_SPNS}register.py",
    )
    reconnect_us: int = setting(
        10 * US_PER_S,
        unit="us",
        low=1,
        doc="How long after a node could not be reached it is tried again.",
        source="Assumption: the real server waits longer with each failure; the steps are not in the sources",
    )
    cleanup_period_us: int = setting(
        30 * US_PER_S,
        unit="us",
        low=1,
        doc="How often subscriptions with expired signatures are removed.",
        source=f"{_SPNS}hivemind.cpp (db_cleanup)",
    )
