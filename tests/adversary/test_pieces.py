from __future__ import annotations

from typing import Any

import pytest

from sessionsim.adversary.pieces import numbers_of, put_together

RAW = bytes([5]) + bytes(range(32))


@pytest.mark.parametrize(
    "strings",
    [
        [RAW.hex()[:2], RAW.hex()[2:]],
        ["before", RAW.hex()[:40], RAW.hex()[40:], "after"],
        [RAW.hex()[at : at + 6] for at in range(0, 66, 6)],
        [RAW[:7], RAW[7:]],
        [RAW.hex().encode()[:33], RAW.hex().encode()[33:]],
    ],
)
def test_an_id_is_put_together(strings: list[Any]) -> None:
    assert list(put_together(strings)) == [RAW]


@pytest.mark.parametrize(
    "strings",
    [
        [],
        [RAW.hex()],
        [RAW.hex()[40:], RAW.hex()[:40]],
        [RAW.hex()[:40], "between", RAW.hex()[40:]],
        ["99" + RAW.hex()[2:40], RAW.hex()[40:]],
        [RAW.hex()[:40], RAW.hex()[40:].encode()],
        ["05" * 16, "xy" * 17],
    ],
)
def test_what_is_no_id_is_not(strings: list[Any]) -> None:
    assert list(put_together(strings)) == []


def test_many_strings_take_linear_time() -> None:
    assert list(put_together(["a" * 60] * 20_000)) == []


def test_a_list_of_bytes_is_bytes() -> None:
    assert numbers_of(list(RAW)) == RAW
    assert numbers_of([1, 2, 3]) == b""
    assert numbers_of([*RAW, 256]) == b""
    assert numbers_of([*RAW, -1]) == b""
    assert numbers_of([True] * 20) == b""
    assert numbers_of([]) == b""
