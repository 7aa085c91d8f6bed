from __future__ import annotations

import hashlib

from sessionsim.adversary.likenesses import Strings
from sessionsim.protocol.identity import account_from_seed

RAW = bytes([5]) + bytes(range(40, 72))
OTHER = bytes([5]) + bytes(range(100, 132))


def test_a_value_is_found_in_every_spelling() -> None:
    strings = Strings([RAW[1:].hex(), RAW[1:].hex().upper(), "nothing of the kind"])
    found = {text for text, how in strings.equal(RAW[1:], "its key")}
    assert found == {RAW[1:].hex(), RAW[1:].hex().upper()}
    assert set(strings.same()) == {tuple(pair) for pair in (sorted(found), sorted(found, reverse=True))}


def test_a_hash_is_found_whole_and_by_its_beginning() -> None:
    digest = hashlib.sha1(RAW).hexdigest()
    strings = Strings([digest, digest[:20], digest[:12]])
    assert set(strings.hashed(RAW, "it", thorough=True)) == {
        (digest, "the SHA-1 of it"), (digest[:20], "the beginning of the SHA-1 of it"),
    }  # fmt: skip
    assert list(strings.hashed(RAW, "it", thorough=False)) == [(digest, "the SHA-1 of it")]
    assert list(strings.hashed(OTHER, "it", thorough=True)) == []


def test_parts_are_of_one_id_and_not_of_two_beside_each_other() -> None:
    across = (RAW + OTHER)[29:41].hex()
    strings = Strings([RAW[5:15].hex(), OTHER.hex()[::-1], across])
    found = {(raw, text): how for raw, (text, how) in strings.parts_of([RAW, OTHER])}
    assert found[RAW, RAW[5:15].hex()] == "a part of its bytes"
    assert found[OTHER, OTHER.hex()[::-1]] == "its text backwards"
    assert across not in {text for _, text in found}


def test_a_key_is_found_among_other_bytes() -> None:
    inside = (b"abcd" + RAW[1:] + b"xyz").hex()
    assert (inside, "bytes with it in them") in set(Strings([inside]).around(RAW[1:], "it"))
    assert list(Strings([inside]).around(OTHER[1:], "it")) == []


def test_a_string_that_is_an_ed25519_key_leads_to_its_account() -> None:
    account = account_from_seed(bytes(16))
    assert (account.ed.public.hex(), f"account:{account.id_hex}") in set(
        Strings([account.ed.public.hex()]).owners()
    )


def test_no_strings_are_like_nothing() -> None:
    strings = Strings([])
    assert list(strings.same()) == list(strings.owners()) == list(strings.parts_of([RAW])) == []
    assert list(strings.hashed(RAW, "it", thorough=True)) == list(strings.around(RAW[1:], "it")) == []
