"""The constants of transport 4 and client-behaviour 6 as scenario keys: a line for each, with its value.

A line is: what the table says; the section; the key; the values on desktop, Android and iOS, or the one of a
section that all share. "." stands for a platform that the table gives no value. What a scenario without these
keys resolves to is compared with the line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sessionsim.experiment import installed
from sessionsim.scenario import read_scenario, resolve

NAMES = ("desktop", "android", "ios")
SCENARIO = """\
title = "Constants"
question = "Which are they?"
[clients]
desktop = 1
android = 1
ios = 1
[workload]
pattern = "everyday"
"""
NO = "."

PATHS = """\
hops                                         | path_hops             | 3         | 3       | 3
at least                                     | paths_least           | 1         | .       | .
paths kept                                   | paths                 | 2         | 2       | 2
one in extension mode                        | woken_single_path     | False     | False   | True
paths for files                              | file_paths            | 0         | 0       | 2
subnets of guards and others                 | path_subnet_rule      | each-kind | none    | all
how a guard is tested                        | guard_test            | own-swarm | none    | handshake
time for that                                | guard_test_timeout    | 10 s      | .       | 3 s
age at which a guard is dropped              | guard_age             | 0 s       | 0 s     | 10 d
rotation by time                             | rotation              | 0 s       | 10 min  | 10 min
test of the new path                         | rotation_test_timeout | .         | 5 s     | 10 s
retry of a rotation                          | rotation_retry        | .         | .       | 1 min
path of a request                            | path_choice           | random    | random  | least-busy
destination excluded                         | exclude_destination   | True      | False   | True
path failures until dropped                  | path_strikes          | 3         | 3       | 3
node failures until dropped                  | node_strikes          | 3         | 3       | 3
life of strikes                              | strike_life           | .         | .       | 2 d
build retries: ten times 1 and 3, or 10      | build_retries         | 39        | .       | 10
their first pause; iOS 200 ms doubled once   | build_pause           | 1 s       | .       | 400 ms
growth of it                                 | build_pause_growth    | 1.0       | .       | 2.0
longest                                      | build_pause_cap       | .         | .       | 5 s
request timeout                              | request_timeout       | 10 s      | 2 min   | 10 s
retries of a failing request                 | repeats               | 0         | 4       | 0
n times this apart                           | repeat_pause          | .         | 2 s     | .
pool refresh, first                          | list_first            | 5 min     | .       | .
pool refresh                                 | list_interval         | 1 h       | 2 h     | 2 h
not before                                   | list_least_age        | .         | .       | 2 s
refresh source: nodes                        | list_sources          | 3         | 3       | 3
of different /24                             | list_sources_apart    | .         | True    | .
lists a node must stand in                   | list_agreement        | 3         | 2       | 2
fewest nodes of a list                       | list_minimum          | 24        | 12      | 12
pool minimum                                 | pool_minimum          | 8         | 12      | 3
fewest on no path                            | unused_minimum        | .         | .       | 12
to refresh from nodes                        | refresh_minimum       | 16        | .       | .
minimum swarm size accepted                  | swarm_minimum         | 3         | 3       | 3
swarm lookup                                 | swarm_lookup          | ask       | ask     | compute
tries of a lookup                            | lookup_tries          | 9         | .       | .
nodes asked for the time                     | clock_samples         | .         | 3       | 3
at most so often                             | clock_pause           | .         | 10 min  | 10 min
static list in the app                       | ships_list            | False     | True    | True
"""
POLLS = """\
interval                                     | poll_interval         | 5 s       | 2 s     | 1.5 s
after failures                               | poll_retry_rule       | interval  | added   | alone
by so much each                              | poll_retry_step       | .         | 2 s     | 300 ms
at most                                      | poll_retry_cap        | .         | 10 s    | 15 s
in the background                            | in_background         | runs      | sleeps  | sleeps
first background poll                        | background_first      | .         | 30 s    | .
background polls                             | background_interval   | .         | 15 min  | .
nodes per poll                               | poll_nodes            | 2         | 1       | 1
which                                        | poll_node_choice      | random    | cycle   | sticky
polls of one node                            | polls_per_node        | .         | .       | 6
max_size of namespace 0                      | max_size_messages     | -2        | -2      | -2
max_size of configs                          | max_size_configs      | -8        | -8      | -8
first start: profile from all nodes          | first_poll            | usual     | profile-everywhere | usual
merged within                                | merge_window          | 0 s       | 100 ms  | 0 s
"""
SENDING = """\
attempts                                     | send_attempts         | 3         | 10      | 10
back-off; 0.25·2^n s from n = 1 and n = 0    | send_backoff          | 100 ms    | 500 ms  | 250 ms
growth                                       | send_backoff_growth   | 1.0       | 2.0     | 2.0
cap                                          | send_backoff_cap      | .         | 2.5 min | .
queue persisted                              | queue_kept            | .         | True    | True
form of a store                              | send_form             | sequence  | batch   | store
redirects after a 421                        | send_redirects        | .         | .       | 1
members that must have signed                | store_confirmed       | 0 %       | 0 %     | 50 %
members that must have signed a deletion     | delete_confirmed      | 0         | 0       | 1
lifetime of contents                         | message_ttl           | 14 d      | 14 d    | 14 d
copy in the own swarm                        | sync_copy             | True      | True    | True
layer cipher and JSON                        | style                 | desktop   | desktop | libsession
guard link                                   | transport             | https     | https   | quic
"""
GROUPS = """\
interval                                     | poll_interval         | 5 s       | 2 s     | 3 s
of a group a while quiet                     | poll_middle           | 1 min     | .       | .
of a quiet group                             | poll_quiet            | 2 min     | .       | 30 s
active for                                   | active_for            | 2 d       | .       | 12 h
a while quiet until                          | middle_for            | 7 d       | .       | .
after failures at most                       | poll_retry_cap        | .         | 10 s    | .
nodes per poll                               | poll_nodes            | 2         | 1       | 1
which                                        | poll_node_choice      | random    | cycle   | random
max_size of messages                         | max_size_messages     | -2        | -2      | -2
max_size of the others                       | max_size_others       | -8        | -8      | -8
lifetime of configs                          | config_ttl            | 30 d      | 30 d    | 30 d
back-off of pushes                           | push_pause            | 1 s       | .       | .
"""
COMMUNITIES = """\
interval; iOS 3 s and 2^0                    | interval              | 10 s      | 4 s     | 3 s
added after failures, to the power of them   | failure_base          | 0.0       | .       | 2.0
at most                                      | longest               | .         | 30 s    | 1 h
timeout                                      | timeout               | 10 s      | .       | .
"""
SIGNALS = """\
lifetime of typing                           | typing_ttl            | 20 s      | 20 s    | 20 s
shown by the receiver for                    | typing_shown          | 15 s      | 15 s    | 15 s
lifetime of calls                            | call_ttl              | 5 min     | 5 min   | 5 min
only to approved contacts                    | typing_to             | approved  | approved | approved
"""
CONFIGS = """\
lifetime                                     | ttl                   | 30 d      | 30 d    | 30 d
extended at polls                            | extends               | True      | True    | True
extended at polls by                         | extension             | 30 d      | .       | .
forced every                                 | forced                | 2 d       | .       | .
back-off of pushes                           | pause                 | 1 s       | .       | .
"""
PUSH = """\
service                                      | service               | .         | firebase | apns
token checked every                          | renew                 | .         | .       | 12 h
"""
FILES = """\
client limit                                 | max                   | 10 MB     | 10 MB   | 10 MB
upload timeout                               | upload_timeout        | 30 s      | 2 min   | 1 min
download timeout                             | download_timeout      | .         | 2 min   | 30 s
whole file job                               | attempt_timeout       | .         | .       | 5 min
attempts of an upload                        | upload_attempts       | .         | 20      | .
"""
UPDATES = """\
newest version asked for; phones by source   | interval              | 1 d       | 4 h     | 4 h
"""
NAMES_ASKED = """\
nodes asked for a name                       | nodes                 | 3         | 3       | 3
that must agree                              | agreement             | 3         | 3       | 3
"""
AVATARS = """\
daily job                                    | period                | 1 d       | 1 d     | 1 d
"""
SHARED = """\
a message with its data is at most           | servers.push      | body_max         | 2.5 kB
pushes are padded to a multiple of           | servers.push      | padding          | 256 B
a hash is remembered for                     | servers.push      | filter_life      | 5 min
renewal of an account, from                  | servers.push      | renew_least      | 45 min
to                                           | servers.push      | renew_most       | 55 min
a subscription lives                         | nodes             | subscription     | 65 min
a signature is usable for                    | servers.push      | signature_life   | 14 d
grace after unsubscribing                    | servers.push      | unsubscribe_window | 1 d
lifetime of a file                           | servers.file      | lifetime         | 14 d
cleaner of files                             | servers.file      | cleanup_period   | 15 s
clock of a request to a community            | servers.community | clock_window     | 1 d
direct messages of a community               | servers.community | direct_lifetime  | 15 d
files of a community                         | servers.community | file_lifetime    | 15 d
upload to a community                        | servers.community | file_max         | 10 MB
seed nodes                                   | servers           | seed_in          | 5 places
TURN servers                                 | servers           | turn_in          | 5 places
TURN servers of a call                       | servers.turn      | servers_per_call | 2
signature of a signed request                | nodes             | signature_window | 1 min
members are waited for                       | nodes             | replication_timeout | 5 s
typing refreshed every                       | workload          | typing_refresh   | 10 s
typing stops after, desktop                  | workload          | typing_pause_desktop | 10 s
typing stops after, Android                  | workload          | typing_pause_phone | 3 s
"""
LISTS = {
    ("platform", "namespaces"): ([0, 2, 3, 5, 4], [2, 3, 4, 5, 0], [0, 2, 3, 4, 5]),
    ("groups", "namespaces"): ([-11, 11, 13, 14, 12], [-11, 11, 12, 13, 14], [11, 12, 13, 14, -11]),
    ("push", "namespaces"): (None, [0], [0, 2, 3, 4, 5]),
    ("push", "group_namespaces"): (None, [-11, 11, 12, 13, 14], [-11, 11, 12, 13, 14]),
}
TABLES = {
    "": PATHS + POLLS + SENDING, "groups": GROUPS, "communities": COMMUNITIES, "signals": SIGNALS,
    "configs": CONFIGS, "push": PUSH, "files": FILES, "updates": UPDATES,
    "avatars": AVATARS, "names": NAMES_ASKED,
}  # fmt: skip


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.splitlines()]


OF_PLATFORMS = [
    pytest.param(part, key, values, id=f"{part or 'client'}: {what}")
    for part, table in TABLES.items()
    for what, key, *values in cells(table)
]


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    path = tmp_path_factory.mktemp("constants") / "constants.toml"
    path.write_text(SCENARIO)
    scenario = resolve(read_scenario(Path(path)), installed())
    return {(str(line["section"]), str(line["key"])): line["value"] for line in scenario.settings}


@pytest.mark.parametrize(("part", "key", "values"), OF_PLATFORMS)
def test_a_constant_of_a_platform_is_a_key_with_its_value(
    defaults: dict[tuple[str, str], Any], part: str, key: str, values: list[str]
) -> None:
    assert len(values) == len(NAMES)
    for name, value in zip(NAMES, values, strict=True):
        if value != NO:
            assert str(defaults[f"platform.{name}{'.' if part else ''}{part}", key]) == value, name


@pytest.mark.parametrize(("what", "section", "key", "value"), cells(SHARED))
def test_a_constant_of_servers_and_people_is_a_key_with_its_value(
    defaults: dict[tuple[str, str], Any], what: str, section: str, key: str, value: str
) -> None:
    found = defaults[section, key]
    assert (f"{len(found)} places" if isinstance(found, list) else str(found)) == value, what


@pytest.mark.parametrize(("part", "key"), LISTS)
def test_namespaces_are_keys_with_their_values(
    defaults: dict[tuple[str, str], Any], part: str, key: str
) -> None:
    for name, value in zip(NAMES, LISTS[part, key], strict=True):
        if value is not None:
            section = f"platform.{name}" if part == "platform" else f"platform.{name}.{part}"
            assert defaults[section, key] == value


def test_what_signals_the_own_devices_get_is_a_key_with_its_value(
    defaults: dict[tuple[str, str], Any],
) -> None:
    """Of what these clients send beside texts; that Android leaves nothing out is read from its code."""
    copied = [set(defaults[f"platform.{name}.signals", "copied"]) for name in NAMES]
    assert not copied[0] & {"typing", "receipt", "call"}
    assert {"typing", "receipt", "call"} <= copied[1]
    assert {"answer", "end"} <= copied[2]
    assert not copied[2] & {"typing", "receipt", "call"}


def test_no_line_stands_twice() -> None:
    for table in TABLES.values():
        keys = [key for _, key, *_ in cells(table)]
        assert len(keys) == len(set(keys))
