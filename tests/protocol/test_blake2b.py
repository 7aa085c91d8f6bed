"""BLAKE2b of chosen lengths against the reference values, and its bounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto.blake2b import blake2b

VECTORS = Path(__file__).parents[1] / "vectors"
GROUPS = json.loads((VECTORS / "blake2b.json").read_text("utf-8"))["groups"]


@pytest.mark.parametrize("case", GROUPS["messages:hash"])
def test_hash_of_the_reference(case: dict[str, Any]) -> None:
    given = case["input"]
    digest = blake2b(given["message_utf8"].encode(), given["size"], given["key_utf8"].encode())
    assert digest.hex() == case["expected"]


def test_shorter_digest_is_not_the_beginning_of_a_longer_one() -> None:
    assert blake2b(b"m", 32) != blake2b(b"m", 64)[:32]


def test_person_and_key_each_change_the_digest() -> None:
    digests = {blake2b(b"m", 32), blake2b(b"m", 32, b"k"), blake2b(b"m", 32, person=b"p")}
    assert len(digests) == 3


@pytest.mark.parametrize(("size", "key", "person"), [(15, 0, 0), (65, 0, 0), (32, 65, 0), (32, 0, 17)])
def test_lengths_outside_the_bounds_are_refused(size: int, key: int, person: int) -> None:
    with pytest.raises(LocalProtocolError):
        blake2b(b"m", size, bytes(key), person=bytes(person))


@pytest.mark.parametrize("size", [16, 64])
def test_lengths_at_the_bounds_are_taken(size: int) -> None:
    assert len(blake2b(b"m", size, bytes(64), person=bytes(16))) == size
