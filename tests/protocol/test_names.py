"""The name service: the reference values of both forms, agreement of nodes, and hostile answers."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import aead, password_box
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.names import (
    NODES_THAT_AGREE,
    Answer,
    agreed_id,
    asked_hash,
    name_of,
    open_answer,
    read_answer,
    seal_answer,
)

VECTORS = Path(__file__).parents[1] / "vectors"
GROUPS = json.loads((VECTORS / "names.json").read_text("utf-8"))["groups"]["messages:ons"]
ANNA, BEN, NONCE = b"\x05" + b"a" * 32, b"\x05" + b"b" * 32, bytes(range(24))


@pytest.mark.parametrize("case", GROUPS, ids=lambda case: str(case["name"]))
def test_answer_of_the_reference(case: dict[str, Any]) -> None:
    given, expected = case["input"], bytes.fromhex(case["expected"])
    answer = read_answer({"encrypted_value": given["ciphertext"], "nonce": given.get("nonce")})
    assert open_answer(given["name"], answer) == expected
    assert open_answer(given["name"].upper(), answer) == expected
    assert seal_answer(given["name"], expected, answer.nonce) == answer
    if answer.nonce is None:
        with pytest.raises(CannotOpen, match="hard fork 16"):
            open_answer(given["name"], answer, legacy=False)
    else:
        assert open_answer(given["name"], answer, legacy=False) == expected


def test_the_reference_has_both_forms() -> None:
    assert {"nonce" in case["input"] for case in GROUPS} == {True, False}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_every_name_opens_its_own_answer_only(name: str) -> None:
    answer = seal_answer(name, ANNA, NONCE)
    assert open_answer(name, answer) == ANNA
    with pytest.raises(CannotOpen):
        open_answer(name + "x", answer)


def test_box_of_another_word_does_not_open() -> None:
    answer = seal_answer("test", ANNA, None)
    with pytest.raises(CannotOpen):
        open_answer("tesd", answer)
    with pytest.raises(CannotOpen):
        open_answer("test", Answer(answer.ciphertext[:-1] + b"\0", None))


def test_a_box_too_short_costs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password_box, "_key", lambda _word: pytest.fail("a key was stretched"))
    with pytest.raises(CannotOpen):
        password_box.unseal(bytes(15), b"word")
    with pytest.raises(CannotOpen):
        open_answer("test", Answer(bytes(48), None))


def test_node_is_asked_for_the_hash_of_the_lower_case_name() -> None:
    assert b64decode(asked_hash("Alice")) == blake2b(b"alice", 32)
    assert asked_hash("alice") == asked_hash("ALICE") != asked_hash("bob")


@pytest.mark.parametrize("prefix", [b"\x00", b"\x03", b"\x15", b"\x25"])
def test_a_name_that_stands_for_no_account_is_refused(prefix: bytes) -> None:
    with pytest.raises(CannotOpen, match="no account id"):
        open_answer("test", seal_answer("test", prefix + ANNA[1:], NONCE))


@pytest.mark.parametrize("size", [0, 16, 32, 34, 64])
def test_value_of_another_length_is_refused(size: int) -> None:
    key = blake2b(b"test", 32, blake2b(b"test", 32))
    with pytest.raises(CannotOpen, match="length"):
        open_answer("test", Answer(aead.seal(bytes(size), NONCE, key), NONCE))


@pytest.mark.parametrize(("id_bytes", "nonce_bytes"), [(32, 24), (34, 24), (33, 23), (33, 12)])
def test_wrong_lengths_of_ours_are_our_mistake(id_bytes: int, nonce_bytes: int) -> None:
    with pytest.raises(LocalProtocolError):
        seal_answer("test", bytes(id_bytes), bytes(nonce_bytes))


# ---- Names ----


@pytest.mark.parametrize(
    ("typed", "name"), [("alice", "alice"), (" Alice_1 ", "alice_1"), ("a-b", "a-b"), ("_", "_"), ("7", "7")]
)
def test_name_as_typed(typed: str, name: str) -> None:
    assert name_of(typed) == name


@pytest.mark.parametrize(
    "typed", ["", "-a", "a-", "-", "a b", "a.b", "ä", "привет", "a\n b", "\N{KELVIN SIGN}"]
)
def test_what_is_no_name_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        name_of(typed)


def test_text_that_cannot_be_written_is_refused() -> None:
    for use in (asked_hash, lambda name: seal_answer(name, ANNA, NONCE)):
        with pytest.raises(InvalidInput, match="UTF-8"):
            use("\ud800")


# ---- What nodes say ----

GOOD = {"encrypted_value": "ab" * 49, "nonce": "cd" * 24}


def test_answer_is_read() -> None:
    assert read_answer(GOOD) == (b"\xab" * 49, b"\xcd" * 24)
    assert read_answer({"encrypted_value": "ab" * 49}) == (b"\xab" * 49, None)


@pytest.mark.parametrize(
    "change",
    [
        {"encrypted_value": None},
        {"encrypted_value": ""},
        {"encrypted_value": 5},
        {"encrypted_value": ["ab"] * 49},
        {"encrypted_value": "ab" * 48},
        {"encrypted_value": "ab" * 50},
        {"encrypted_value": "xy" * 49},
        {"encrypted_value": "ab" * 48 + "  "},
        {"nonce": ""},
        {"nonce": 0},
        {"nonce": "cd" * 23},
        {"nonce": "cd" * 23 + "é0"},
    ],
)
def test_malformed_answer_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError):
        read_answer(GOOD | change)


@given(st.dictionaries(st.sampled_from(["encrypted_value", "nonce"]), st.none() | st.text() | st.integers()))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_any_answer_is_refused_or_read(result: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError):
        open_answer("test", read_answer(result))


def test_equal_answers_of_enough_nodes_decide() -> None:
    assert agreed_id([ANNA] * NODES_THAT_AGREE) == ANNA
    assert agreed_id([ANNA] * 5) == ANNA
    assert agreed_id([ANNA], needed=1) == ANNA


@pytest.mark.parametrize("said", [[], [ANNA], [ANNA] * (NODES_THAT_AGREE - 1)])
def test_too_few_answers_decide_nothing(said: list[bytes]) -> None:
    with pytest.raises(RemoteProtocolError, match="of 3 nodes answered"):
        agreed_id(said)


def test_no_answer_never_decides() -> None:
    with pytest.raises(RemoteProtocolError):
        agreed_id([], needed=0)


@pytest.mark.parametrize("place", range(3))
def test_one_node_that_says_otherwise_spoils_it(place: int) -> None:
    said = [ANNA] * 3
    said[place] = BEN
    with pytest.raises(RemoteProtocolError, match="disagree"):
        agreed_id(said)
