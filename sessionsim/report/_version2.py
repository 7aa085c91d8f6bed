"""What a report says of version 2 of the protocol, if some accounts of the run use it.

Templates, tested word by word, like the three answers. It always says *as publicly specified*: version 2 is
designed and coded, not deployed, and every hole that was filled is listed among the assumptions.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.readings import Reading
from sessionsim.report._data import Readings
from sessionsim.report._numbers import (
    baseline_of,
    count_of,
    of_reading,
    percent_digits,
    quantity,
    span,
    span_of,
)

LABEL: Final = "V2 as publicly specified"  # Source: protocol-v2 1
NOTE: Final = (
    "Version 2 is designed and coded, not deployed. What its public design leaves open is filled with our own"
    " choices: the settings H1 to H11 among the assumptions below."
)
_KEYS, _TWINS, _BYTES, _GROUPS = "account-keys", "twins", "version-bytes", "device-groups"


def version2_answer(readings: Readings) -> str:
    """Give one paragraph; empty if no account uses version 2."""
    sealed = readings.get(_KEYS, "sealed under account keys")
    if sealed is None:
        return ""
    parts = [_protection(readings, sealed), _difference(readings), _day(readings)]
    parts += [_cost(readings), _devices(readings), _lost(readings)]
    return " ".join(part for part in parts if part)


def version2_rows(readings: Readings) -> list[tuple[str, ...]]:
    """List all readings about version 2 as table rows: name, value, interval, what to expect, units."""
    return [
        (one.name, of_reading(one), span_of(one), baseline_of(one), f"{one.n} {one.n_unit}s")
        for metric in (_KEYS, _TWINS, _BYTES, _GROUPS)
        for one in readings.of(metric)
    ]


def _protection(readings: Readings, sealed: Reading) -> str:
    hits, of = sealed.counts["hits"], sealed.counts["of"]
    if not of:
        return "No message was sent from an account of version 2."
    text = f"{hits:,.0f} of {of:,.0f} messages of version 2 went under account keys ({_percent(hits, of)})"
    rest = [
        f"{one.counts['hits']:,.0f} under {name}"
        for name in ("the long-term key in version 2", "version 1")
        if (one := readings.get(_KEYS, f"sealed under {name}")) is not None and one.counts["hits"]
    ]
    if rest:
        text += f", {' and '.join(rest)}"
    waited = readings.get(_KEYS, "waited for keys")
    if waited is not None:
        text += f"; {waited.counts['hits']:,.0f} waited for keys"
    return f"{text}."


def _difference(readings: Readings) -> str:
    """Say what the same message costs more, and when it is stored later."""
    parts = []
    more = readings.get(_TWINS, "bytes of a message on its sender's link, version 2 less version 1")
    if more is not None and more.value is not None:
        parts.append(f"cost {_signed(more, 'more', 'less')} on its sender's link")
    later = readings.get(_TWINS, "intent to stored, version 2 less version 1")
    if later is not None and later.value is not None:
        parts.append(f"was stored {_signed(later, 'later', 'earlier')}")
    if not parts:
        return ""
    pairs = (more or later).counts["pairs"]  # type: ignore[union-attr]
    said = " and ".join(parts)
    return f"A message {said} than the same message in version 1, over {count_of(pairs, 'pair')}."


def _day(readings: Readings) -> str:
    """Say what an account's lines carry a day in both versions."""
    first, second = (
        readings.get(_BYTES, f"bytes per account and day, total, version {version}") for version in (1, 2)
    )
    if second is None or second.value is None:
        return ""
    keys = readings.get(_BYTES, "bytes per account and day, account_keys, version 2")
    text = f"An account's lines carried {_with_span(second)} a day"
    if keys is not None and keys.value is not None:
        text += f", {quantity(keys.value, keys.unit)} of it for keys and device groups"
    if first is not None and first.value is not None:
        text += f"; {_with_span(first)} in version 1"
    return f"{text}."


def _devices(readings: Readings) -> str:
    """Say how devices came, went and changed their keys."""
    own = readings.get(_GROUPS, "changes of device keys per device and day")
    raced = readings.get(_GROUPS, "changes of account keys that raced")
    if own is None or raced is None or own.value is None:
        return ""
    text = f"Devices changed their own keys {of_reading(own)} times a day each"
    hits, of = raced.counts["hits"], raced.counts["of"]
    if of:
        text += f"; {hits:,.0f} of {of:,.0f} changes of account keys were made at once with another device's"
    settled = readings.get(_GROUPS, "time until a race was settled")
    if settled is not None and settled.value is not None:
        text += f", which was settled after {_with_span(settled)}"
    return f"{text}."


def _cost(readings: Readings) -> str:
    upload = readings.get(_KEYS, "uploaded for keys per account and day")
    changes = readings.get(_KEYS, "changes of keys per account and day")
    if upload is None or changes is None or upload.value is None or changes.value is None:
        return ""
    text = f"Keys changed {of_reading(changes)} times per account and day"
    text += f", for which {_with_span(upload)} were uploaded"
    failed = readings.get(_KEYS, "failed pushes per account and day")
    if failed is not None and failed.counts["hits"]:
        text += f" beside {of_reading(failed)} pushes that no answer confirmed and that are not in this"
    if upload.baseline is not None:
        expected = quantity(upload.baseline, upload.unit)
        text += f"; {expected} are expected of as many devices in a steady state"
    return f"{text}."


def _lost(readings: Readings) -> str:
    lost, locked = (readings.get(_KEYS, name) for name in ("undecryptable", "locked at first"))
    if lost is None or locked is None or not lost.counts["of"]:
        return ""
    hits, of = lost.counts["hits"], lost.counts["of"]
    text = f"{hits:,.0f} of {of:,.0f} messages that devices fetched stayed undecryptable"
    if lost.high is not None and not lost.counts["hits"]:
        text += f" (at most {percent_digits(lost.high)} % by {count_of(lost.n, lost.n_unit)})"
    return f"{text}, {locked.counts['hits']:,.0f} were so at first."


def _percent(hits: float, of: float) -> str:
    return f"{percent_digits(hits / of)} %"


def _signed(reading: Reading, more: str, less: str) -> str:
    """Say a difference with its sign in words, and its interval in the same direction."""
    assert reading.value is not None
    assert reading.low is not None
    assert reading.high is not None
    ends = (reading.low, reading.high) if reading.value >= 0 else (-reading.high, -reading.low)
    size, interval = quantity(abs(reading.value), reading.unit), span(*ends, reading.unit, abs(reading.value))
    covers = ", which may be none" if reading.low <= 0 <= reading.high else ""
    return f"{size} {more if reading.value >= 0 else less} ({interval}{covers})"


def _with_span(reading: Reading) -> str:
    interval = span_of(reading)
    return f"{of_reading(reading)} ({interval})" if interval else of_reading(reading)
