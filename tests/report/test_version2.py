"""What a report says of version 2, word by word; and nothing where no account uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sessionsim.core.readings import Reading
from sessionsim.report import ReportData, render
from sessionsim.report._data import Readings
from sessionsim.report._version2 import LABEL, version2_answer, version2_rows


def one(
    metric: str, name: str, unit: str, value: float | None, low: float, high: float, **rest: Any
) -> Reading:
    counts = {"hits": rest.pop("hits", 0.0), "of": rest.pop("of", 0.0), "pairs": rest.pop("pairs", 0.0)}
    needed = None if value is not None else 3
    ends = (low, high) if value is not None else (None, None)
    return Reading(
        metric, name, unit, value, *ends, "95 % t over seeds", 4, "seed", rest.pop("baseline", None),
        rest.pop("baseline_name", ""), needed, counts,
    )  # fmt: skip


KEYS = [
    one("account-keys", "sealed under account keys", "prob", 0.97, 0.94, 1.0, hits=97.0, of=100.0),
    one("account-keys", "sealed under the long-term key in version 2", "prob", 0.0, 0.0, 0.1, of=100.0),
    one("account-keys", "sealed under version 1", "prob", 0.03, 0.0, 0.06, hits=3.0, of=100.0),
    one("account-keys", "waited for keys", "prob", 0.05, 0.0, 0.1, hits=5.0, of=100.0),
    one("account-keys", "changes of keys per account and day", "count", 1.98, 1.9, 2.06),
    one(
        "account-keys", "uploaded for keys per account and day", "bytes", 36_800.0, 36_000.0, 37_600.0,
        baseline=29_390.0, baseline_name="steady state (protocol-v2 13)",
    ),
    one("account-keys", "undecryptable", "prob", 0.0, 0.0, 0.012, of=240.0),
    one("account-keys", "locked at first", "prob", 0.01, 0.0, 0.02, hits=2.0, of=240.0),
]  # fmt: skip
TWINS = [
    one(
        "twins", "bytes of a message on its sender's link, version 2 less version 1", "bytes", 1422.0, 1368.0,
        1477.0, pairs=480.0,
    ),
    one("twins", "intent to stored, version 2 less version 1", "us", -21e3, -40e3, 2e3, pairs=480.0),
]  # fmt: skip


def test_a_run_without_version_2_says_nothing_of_it(readings: list[Reading], data: ReportData) -> None:
    assert version2_answer(Readings(readings)) == ""
    assert version2_rows(Readings(readings)) == []
    assert LABEL not in render(data)


def test_all_sentences_of_a_run_with_twins() -> None:
    assert version2_answer(Readings([*KEYS, *TWINS])) == (
        "97 of 100 messages of version 2 went under account keys (97.0 %), 3 under version 1; 5 waited for"
        " keys. A message cost 1.42 kB more (1.37 to 1.48 kB) on its sender's link and was stored 21.0 ms"
        " earlier (-2.0 to 40.0 ms, which may be none) than the same message in version 1, over 480 pairs."
        " Keys changed 1.98 times per account and day, for which 36.8 kB (36.0 to 37.6 kB) were uploaded;"
        " 29.4 kB are expected of as many devices in a steady state."
        " 0 of 240 messages that devices fetched stayed undecryptable (at most 1.2 % by 4 seeds), 2 were so"
        " at first."
    )


def test_bytes_of_a_day_and_devices_have_sentences_of_their_own() -> None:
    per_day, name = "bytes per account and day", "version-bytes"
    more = [
        one(name, f"{per_day}, total, version 1", "bytes", 9e6, 8.9e6, 9.1e6, days=3.0),
        one(name, f"{per_day}, total, version 2", "bytes", 12e6, 11e6, 13e6, days=3.0),
        one(name, f"{per_day}, account_keys, version 2", "bytes", 90e3, 80e3, 100e3, days=3.0),
        one("device-groups", "changes of device keys per device and day", "count", 0.14, 0.1, 0.2),
        one("device-groups", "changes of account keys that raced", "prob", 0.1, 0.0, 0.2, hits=4.0, of=40.0),
        one("device-groups", "time until a race was settled", "us", 2e6, 1e6, 3e6, of=2.0),
    ]
    text = version2_answer(Readings([*KEYS, *more]))
    assert (
        "An account's lines carried 12.0 MB (11.0 to 13.0 MB) a day, 90.0 kB of it for keys and device"
        " groups; 9.00 MB (8.90 to 9.10 MB) in version 1. Keys changed"
    ) in text
    assert (
        "Devices changed their own keys 0.140 times a day each; 4 of 40 changes of account keys were made at"
        " once with another device's, which was settled after 2.00 s (1.00 to 3.00 s). 0 of 240"
    ) in text
    assert len(version2_rows(Readings([*KEYS, *more]))) == len(KEYS) + len(more)
    second_only = version2_answer(Readings([*KEYS, *more[1:2]]))
    assert "An account's lines carried 12.0 MB (11.0 to 13.0 MB) a day. Keys" in second_only


def test_pushes_that_nobody_confirmed_are_told_beside_the_bytes_that_do_not_count_them() -> None:
    name, beside = "failed pushes per account and day", "that no answer confirmed and that are not in this"
    some = one("account-keys", name, "count", 2.5, 1.0, 4.0, hits=5.0)
    text = version2_answer(Readings([*KEYS, some]))
    assert f"were uploaded beside 2.50 pushes {beside}; 29.4 kB are expected" in text
    assert beside not in version2_answer(Readings([*KEYS, one("account-keys", name, "count", 0.0, 0.0, 0.0)]))


def test_without_twins_or_without_a_rate_those_sentences_are_left_out() -> None:
    assert "than the same message" not in version2_answer(Readings(KEYS))
    few = [KEYS[0], one("account-keys", "changes of keys per account and day", "count", None, 0, 0)]
    assert (
        version2_answer(Readings(few)) == "97 of 100 messages of version 2 went under account keys (97.0 %)."
    )
    none = [one("account-keys", "sealed under account keys", "prob", None, 0, 0)]
    assert version2_answer(Readings(none)) == "No message was sent from an account of version 2."


def test_the_page_has_the_label_the_note_and_all_readings(
    data: ReportData, make_reading: Callable[..., Reading]
) -> None:
    from dataclasses import replace

    page = render(replace(data, readings=(*data.readings, *KEYS, *TWINS)))
    assert page.count(LABEL) >= 2
    assert "not deployed" in page
    assert "H1 to H11" in page
    for reading in (*KEYS, *TWINS):
        assert reading.name.replace("'", "&#39;") in page
