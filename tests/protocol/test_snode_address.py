"""Addresses of service nodes: the reference values, one spelling for one key, and wrong texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput, LocalProtocolError
from sessionsim.protocol.snode_address import ALPHABET, public_of_snode_address, snode_address

VECTORS = Path(__file__).parents[1] / "vectors"
GROUPS = json.loads((VECTORS / "identity.json").read_text("utf-8"))["groups"]
ZERO = "y" * 52 + ".snode"


@pytest.mark.parametrize(
    "case", GROUPS["libsession:ids_from_seed"]["cases"], ids=lambda case: str(case["id"])
)
def test_address_of_the_reference(case: dict[str, dict[str, str]]) -> None:
    public, address = bytes.fromhex(case["expected"]["ed25519_pk"]), case["expected"]["snode_address"]
    assert snode_address(public) == address
    assert public_of_snode_address(address) == public


def test_first_and_last_bit_stand_where_they_should() -> None:
    assert snode_address(bytes(32)) == ZERO
    assert snode_address(b"\x80" + bytes(31)) == "o" + ZERO[1:]
    assert snode_address(bytes(31) + b"\x01") == "y" * 51 + "o.snode"


def test_alphabet_has_32_letters() -> None:
    assert len(set(ALPHABET)) == 32


@given(st.binary(min_size=32, max_size=32))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_every_key_comes_back(public: bytes) -> None:
    assert public_of_snode_address(snode_address(public)) == public


@pytest.mark.parametrize(
    "address",
    [
        "",
        ".snode",
        ZERO[:52],
        ZERO[1:],
        "y" + ZERO,
        ZERO.upper(),
        "y" * 51 + "b.snode",
        "l" + ZERO[1:],
        "y" * 52 + ".loki",
        ZERO + ".snode",
        " " + ZERO[1:],
    ],
)
def test_wrong_text_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="node address"):
        public_of_snode_address(address)


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_any_text_is_refused_with_the_same_kind_of_error(text: str) -> None:
    with pytest.raises(InvalidInput):
        public_of_snode_address(text + ".snode")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_key_of_another_length_is_our_mistake(size: int) -> None:
    with pytest.raises(LocalProtocolError):
        snode_address(bytes(size))
