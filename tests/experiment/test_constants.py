"""Every constant of the tables of path building and client behaviour is a scenario key with that value.

The expected values are written out by hand from transport 4 and client-behaviour 6, row by row: one value for
all platforms, or one each for desktop, Android and iOS. A dash means that the row does not speak of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from sessionsim.core.settings import facts_of
from sessionsim.experiment.catalogue import installed
from sessionsim.workload.keyboard import KeyboardRules

S, MIN, H, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
DASH = object()
_INSTALLED = installed()
PLATFORMS = ("desktop", "android", "ios")

# (part, field): value for all, or a tuple of three. The empty part is the platform itself.
PATHS = {  # transport 4
    ("", "path_hops"): 3,
    ("", "paths"): 2,
    ("", "paths_least"): (1, DASH, DASH),
    ("", "file_paths"): (0, 0, 2),
    ("", "woken_single_path"): (False, False, True),
    ("", "guard_test"): ("own-swarm", "none", "handshake"),
    ("", "guard_test_timeout_us"): (10 * S, DASH, 3 * S),
    ("", "guard_age_us"): (0, 0, 10 * DAY),
    ("", "path_subnet_rule"): ("each-kind", "none", "all"),
    ("", "rotation_us"): (0, 10 * MIN, 10 * MIN),
    ("", "rotation_test_timeout_us"): (DASH, 5 * S, 10 * S),
    ("", "rotation_retry_us"): (DASH, DASH, MIN),
    ("", "path_choice"): ("random", "random", "least-busy"),
    ("", "exclude_destination"): (True, False, True),
    ("", "path_strikes"): 3,
    ("", "node_strikes"): 3,
    ("", "strike_life_us"): (DASH, DASH, 48 * H),
    ("", "build_retries"): (4 * 10 - 1, DASH, 10),
    ("", "build_pause_us"): (S, DASH, DASH),
    ("", "build_pause_cap_us"): (DASH, DASH, 5 * S),
    ("", "request_timeout_us"): (10 * S, 120 * S, 10 * S),
    ("", "repeats"): (0, 4, 0),
    ("", "repeat_pause_us"): (DASH, 2 * S, DASH),
    ("", "send_redirects"): (DASH, DASH, 1),
    ("", "list_first_us"): (5 * MIN, DASH, DASH),
    ("", "list_interval_us"): (H, 2 * H, 2 * H),
    ("", "list_least_age_us"): (DASH, DASH, 2 * S),
    ("", "list_sources"): 3,
    ("", "list_sources_apart"): (False, True, False),
    ("", "list_agreement"): (3, 2, 2),
    ("", "list_form"): ("oxend", "packed", DASH),
    ("", "list_minimum"): (24, DASH, DASH),
    ("", "pool_minimum"): (8, 12, 3),
    ("", "refresh_minimum"): (16, DASH, DASH),
    ("", "unused_minimum"): (DASH, DASH, 12),
    ("", "swarm_minimum"): 3,
    ("", "swarm_lookup"): ("ask", "ask", "compute"),
    ("", "lookup_tries"): (3 * 3, DASH, DASH),
    ("", "clock_samples"): 3,
    ("", "clock_pause_us"): (DASH, 10 * MIN, 10 * MIN),
    ("files", "upload_timeout_us"): (30 * S, DASH, 60 * S),
    ("files", "download_timeout_us"): (30 * S, DASH, 30 * S),
    ("files", "attempt_timeout_us"): (DASH, DASH, 300 * S),
}
POLLS = {  # client-behaviour 6.1, 6.2
    ("", "poll_interval_us"): (5 * S, 2 * S, 3 * S // 2),
    ("", "poll_retry_step_us"): (DASH, 2 * S, 3 * S // 10),
    ("", "poll_retry_cap_us"): (DASH, 10 * S, 15 * S),
    ("", "in_background"): ("runs", "sleeps", "sleeps"),
    ("", "background_first_us"): (DASH, 30 * S, DASH),
    ("", "background_interval_us"): (DASH, 15 * MIN, DASH),
    ("", "poll_nodes"): (2, 1, 1),
    ("", "poll_node_choice"): ("random", "cycle", "sticky"),
    ("", "polls_per_node"): (DASH, DASH, 6),
    ("", "first_poll"): ("usual", "profile-everywhere", "usual"),
    ("", "namespaces"): ((0, 2, 3, 5, 4), (2, 3, 4, 5, 0), (0, 2, 3, 4, 5)),
    ("", "max_size_messages"): -2,
    ("", "max_size_configs"): -8,
    ("", "merge_window_us"): (0, S // 10, 0),
    ("configs", "extension_us"): (30 * DAY, DASH, DASH),
    ("groups", "poll_interval_us"): (5 * S, 2 * S, 3 * S),
    ("groups", "poll_middle_us"): (MIN, DASH, DASH),
    ("groups", "poll_quiet_us"): (2 * MIN, DASH, 30 * S),
    ("groups", "active_for_us"): (2 * DAY, DASH, 12 * H),
    ("groups", "middle_for_us"): (7 * DAY, DASH, DASH),
    ("groups", "poll_retry_cap_us"): (DASH, 10 * S, DASH),
    ("groups", "namespaces"): ((-11, 11, 13, 14, 12), (-11, 11, 12, 13, 14), (11, 12, 13, 14, -11)),
    ("groups", "max_size_messages"): -2,
    ("groups", "max_size_others"): -8,
    ("groups", "poll_nodes"): (2, 1, 1),
    ("groups", "poll_node_choice"): ("random", "cycle", "random"),
    ("communities", "interval_us"): (10 * S, 4 * S, DASH),
    ("communities", "longest_us"): (DASH, 30 * S, H),
    ("communities", "timeout_us"): 10 * S,
}
SENDING = {  # client-behaviour 6.3
    ("", "send_attempts"): (3, 10, 10),
    ("", "send_backoff_us"): (S // 10, DASH, S // 4),
    ("", "send_backoff_growth"): (1.0, 2.0, 2.0),
    ("", "send_backoff_cap_us"): (DASH, 150 * S, DASH),
    ("", "send_form"): ("sequence", "batch", "store"),
    ("", "message_ttl_us"): 14 * DAY,
    ("files", "upload_attempts"): (DASH, 20, DASH),
    ("configs", "pause_us"): (S, DASH, DASH),
    ("configs", "ttl_us"): 30 * DAY,
    ("configs", "forced_us"): (2 * DAY, 0, 0),
    ("groups", "push_pause_us"): (S, DASH, DASH),
    ("signals", "typing_ttl_us"): 20 * S,
    ("signals", "typing_shown_us"): 15 * S,
    ("signals", "call_ttl_us"): 5 * MIN,
    ("push", "namespaces"): (DASH, (0,), (0, 2, 3, 4, 5)),  # 6.4
    ("push", "renew_us"): (DASH, DASH, 12 * H),
    ("files", "max_bytes"): 10_000_000,  # 6.5
    ("avatars", "period_us"): DAY,
}
SECTIONS = {  # client-behaviour 6.3 to 6.5: what servers and people do
    ("servers.push", "filter_life_us"): 5 * MIN,
    ("servers.push", "renew_least_us"): 45 * MIN,
    ("servers.push", "renew_most_us"): 55 * MIN,
    ("servers.push", "signature_life_us"): 14 * DAY,
    ("servers.push", "unsubscribe_window_us"): DAY,
    ("servers.push", "body_max_bytes"): 2500,
    ("servers.push", "padding_bytes"): 256,
    ("nodes", "subscription_us"): 65 * MIN,
    ("servers.file", "lifetime_us"): 14 * DAY,
    ("servers.file", "cleanup_period_us"): 15 * S,
    ("servers.community", "clock_window_us"): DAY,
    ("servers.community", "direct_lifetime_us"): 15 * DAY,
    ("servers.community", "file_max_bytes"): 10_000_000,
    ("servers.turn", "servers_per_call"): 2,
}
KEYBOARD = {
    "typing_refresh_us": 10 * S,
    "typing_pause_phone_us": 3 * S,
    "typing_pause_desktop_us": 10 * S,
}  # 6.3


def _rows() -> Iterator[tuple[str, str, str, Any]]:
    for (part, field), values in (PATHS | POLLS | SENDING).items():
        each = values if isinstance(values, tuple) else (values,) * len(PLATFORMS)
        for platform, value in zip(PLATFORMS, each, strict=True):
            if value is not DASH:
                yield platform, part, field, value


@pytest.mark.parametrize(("platform", "part", "field", "value"), list(_rows()))
def test_a_constant_of_a_platform_is_a_key_with_its_value(
    platform: str, part: str, field: str, value: Any
) -> None:
    known = _INSTALLED
    rules = known.parts[part][platform] if part else known.platforms[platform]
    assert field in facts_of(type(rules))
    assert getattr(rules, field) == value


@pytest.mark.parametrize(
    ("section", "field", "value"), [(*place, value) for place, value in SECTIONS.items()]
)
def test_a_constant_of_servers_is_a_key_with_its_value(section: str, field: str, value: Any) -> None:
    config = _INSTALLED.sections[section]
    assert field in facts_of(config)
    assert {one.name: one.default for one in dataclasses.fields(config)}[field] == value


@pytest.mark.parametrize(("field", "value"), KEYBOARD.items())
def test_a_constant_of_typing_is_a_key_of_the_workload_with_its_value(field: str, value: int) -> None:
    config = _INSTALLED.patterns["everyday"]
    assert issubclass(config, KeyboardRules)
    assert field in facts_of(config)
    assert {one.name: one.default for one in dataclasses.fields(config)}[field] == value
