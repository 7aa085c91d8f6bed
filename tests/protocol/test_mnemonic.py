"""The recovery phrase against the reference vectors, and what it says about wrong phrases."""

from __future__ import annotations

import hashlib
import json
import zlib
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.mnemonic import phrase_of, seed_of

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "mnemonic.json").read_text("utf-8"))["groups"]
ENGLISH = GROUPS["transport:identity.mnemonic_english"]
WITH_CHECKSUM = [case for case in ENGLISH["vectors"] if case["checksum_word_included"]]
WITHOUT_CHECKSUM = [case for case in ENGLISH["vectors"] if not case["checksum_word_included"]]
LIST = resources.files("sessionsim.protocol") / "data" / "mnemonic_words_en.txt"
WORDS = LIST.read_text("ascii").split()
THIRTEEN = WITH_CHECKSUM[0]["words"]


def with_checksum(words: str) -> str:
    """Append the checksum word that the rule demands, worked out here on its own."""
    body = words.split()
    return f"{words} {body[zlib.crc32(''.join(w[:3] for w in body).encode()) % len(body)]}"


@pytest.mark.parametrize("case", WITH_CHECKSUM)
def test_phrase_and_seed_of_the_reference(case: dict[str, str]) -> None:
    assert phrase_of(bytes.fromhex(case["seed"])) == case["words"]
    assert seed_of(case["words"]).hex() == case["seed"]


@pytest.mark.parametrize("case", WITHOUT_CHECKSUM)
def test_long_seed_of_the_reference(case: dict[str, str]) -> None:
    seed = bytes.fromhex(case["seed"])
    phrase = phrase_of(seed)
    assert phrase == with_checksum(case["words"])
    assert seed_of(phrase) == seed
    assert phrase_of(seed, checksum=False) == case["words"]
    assert seed_of(case["words"], checksum_optional=True) == seed


def test_the_list_is_the_one_of_the_reference() -> None:
    assert hashlib.sha256(LIST.read_bytes()).hexdigest().startswith("eaa6bce7dd92f4d6dd74f224264e0ef4")
    assert len(WORDS) == len({word[:3] for word in WORDS}) == 1626


def test_four_bytes_have_the_indices_worked_out_by_hand() -> None:
    example = ENGLISH["index_vector_self_computed"]
    expected = [WORDS[index] for index in example["word_indices"]]
    assert phrase_of(bytes.fromhex(example["bytes"])).split()[:3] == expected


@pytest.mark.parametrize("case", ENGLISH["must_reject"], ids=lambda case: str(case["reason"]))
def test_phrase_that_the_reference_refuses_is_refused(case: dict[str, str]) -> None:
    for optional in (False, True):
        with pytest.raises(InvalidInput, match="recovery phrase"):
            seed_of(case["words"], checksum_optional=optional)


@given(st.integers(1, 16).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n)))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_every_seed_comes_back(seed: bytes) -> None:
    phrase = phrase_of(seed)
    assert len(phrase.split()) == 3 * len(seed) // 4 + 1
    assert seed_of(phrase) == seed
    assert seed_of("  ".join(word[:3].upper() for word in phrase.split()) + "\n") == seed


@given(st.binary(min_size=16, max_size=16), st.integers(0, 12), st.sampled_from(WORDS))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_one_wrong_word_never_gives_the_same_seed(seed: bytes, place: int, other: str) -> None:
    words = phrase_of(seed).split()
    right = words[place]
    words[place] = other
    try:
        found = seed_of(" ".join(words))
    except InvalidInput:
        found = b"refused"
    assert (found == seed) == (other == right)


def test_unknown_word_is_named_with_its_place() -> None:
    words = THIRTEEN.split()
    words[4] = "xylophone"
    with pytest.raises(InvalidInput) as refused:
        seed_of(" ".join(words))
    assert refused.value.place == "recovery phrase, word 5"
    assert refused.value.found == "xylophone"


def test_wrong_checksum_word_is_named_with_the_right_one() -> None:
    with pytest.raises(InvalidInput) as refused:
        seed_of(THIRTEEN.rsplit(" ", 1)[0] + " amaze")
    assert refused.value.place == "recovery phrase, word 13"
    assert refused.value.found == "amaze"
    assert "'faxed'" in refused.value.allowed


def test_words_beyond_four_bytes_are_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        seed_of(with_checksum("amaze buffet cake abbey abbey zoom"))
    assert refused.value.place == "recovery phrase, words 4 to 6"
    assert refused.value.found == "abbey abbey zoom"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 12, 14])
def test_wrong_number_of_words_is_said(count: int) -> None:
    with pytest.raises(InvalidInput, match=f"{count} words"):
        seed_of(" ".join(["abbey"] * count))


@pytest.mark.parametrize(("n_bytes", "n_words"), [(16, 12), (32, 24)])
def test_phrase_without_checksum_word_is_read_only_when_allowed(n_bytes: int, n_words: int) -> None:
    seed = bytes(range(n_bytes))
    phrase = phrase_of(seed, checksum=False)
    assert len(phrase.split()) == n_words
    assert phrase_of(seed) == with_checksum(phrase)
    assert seed_of(phrase, checksum_optional=True) == seed_of(with_checksum(phrase)) == seed
    with pytest.raises(InvalidInput, match=r"last word seems to be missing"):
        seed_of(phrase)


def test_a_checksum_word_that_is_there_is_checked_even_where_it_is_optional() -> None:
    with pytest.raises(InvalidInput, match="checksum word"):
        seed_of(THIRTEEN.rsplit(" ", 1)[0] + " amaze", checksum_optional=True)


@pytest.mark.parametrize("count", [0, 1, 2, 11, 14])
def test_no_checksum_helps_a_wrong_number_of_words(count: int) -> None:
    with pytest.raises(InvalidInput, match=f"{count} words"):
        seed_of(" ".join(["abbey"] * count), checksum_optional=True)


@given(st.text(max_size=80))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_any_text_is_refused_with_the_same_kind_of_error(text: str) -> None:
    with pytest.raises(InvalidInput):
        seed_of(text)


@pytest.mark.parametrize("length", [0, 1, 15, 18])
def test_seed_that_is_no_multiple_of_four_bytes_is_refused(length: int) -> None:
    with pytest.raises(InvalidInput, match=f"{length} bytes"):
        phrase_of(bytes(length))
