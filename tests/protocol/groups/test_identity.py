"""Group ids against the reference, and what is no group."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError
from sessionsim.protocol.groups.identity import group_ed25519, group_from_seed, group_x25519, is_group_id
from sessionsim.protocol.identity import account_from_ed25519_seed

GROUPS = json.loads((Path(__file__).parents[2] / "vectors" / "groups.json").read_text("utf-8"))["groups"]


def test_ids_of_the_reference_suite() -> None:
    case = next(case for case in GROUPS["messages:groups"] if case["name"] == "ids")
    seeds = {name: bytes.fromhex(seed) for name, seed in case["input"].items()}
    assert group_from_seed(seeds["group_seed"]).id_hex == case["expected"]["group_id"]
    assert account_from_ed25519_seed(seeds["admin_seed"]).id_hex == case["expected"]["admin"]
    assert account_from_ed25519_seed(seeds["member_seed"]).id_hex == case["expected"]["member"]


def test_id_holds_the_ed25519_key_and_gives_the_x25519_key() -> None:
    group = group_from_seed(b"g" * 32)
    assert group.id == b"\x03" + group.ed.public
    assert group_ed25519(group.id) == group.ed.public
    assert group_x25519(group.id) == group.x.public
    assert is_group_id(group.id)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_group_seed_of_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidInput, match=f"{length} bytes"):
        group_from_seed(bytes(length))


@pytest.mark.parametrize("raw", [b"", b"\x05" + bytes(32), b"\x03" + bytes(31), b"\x03" + bytes(33)])
def test_other_ids_are_no_group_ids(raw: bytes) -> None:
    assert not is_group_id(raw)
    with pytest.raises(LocalProtocolError):
        group_ed25519(raw)


def test_group_id_without_curve_point_has_no_x25519_key() -> None:
    with pytest.raises(CannotOpen):
        group_x25519(b"\x03" + b"\xff" * 32)
