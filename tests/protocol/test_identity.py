"""Identity against the reference vectors, and its refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sessionsim.core.errors import CannotOpen, InvalidInput
from sessionsim.protocol.crypto import real
from sessionsim.protocol.identity import account_from_ed25519_seed, account_from_seed, account_id_of_ed25519

GROUPS = json.loads((Path(__file__).parents[1] / "vectors" / "identity.json").read_text("utf-8"))["groups"]
SESSION_IDS = [case for case in GROUPS["messages:session_id"] if "session_id" in case["expected"]]


@pytest.mark.parametrize("case", GROUPS["transport:identity.seed16_to_account_id"]["vectors"])
def test_account_of_16_random_bytes(case: dict[str, str]) -> None:
    account = account_from_seed(bytes.fromhex(case["seed16"]))
    assert account.ed.secret.hex() == case["ed25519_seed32"]
    assert account.ed.public.hex() == case["ed25519_pubkey"]
    assert account.x.public.hex() == case["x25519_pubkey"]
    assert account.id.hex() == account.id_hex == case["account_id"]


@pytest.mark.parametrize("case", SESSION_IDS)
def test_seed_of_reference_suite_gives_its_id(case: dict[str, dict[str, str]]) -> None:
    seed = bytes.fromhex(case["input"]["seed"])
    account = account_from_seed(seed[:16])
    assert account == account_from_ed25519_seed(seed)
    assert account.ed.public.hex() == case["expected"]["ed25519_pk"]
    assert account.x.public.hex() == case["expected"]["x25519_pk"]
    assert account.id_hex == case["expected"]["session_id"]


@pytest.mark.parametrize(
    "case", GROUPS["libsession:ids_from_seed"]["cases"], ids=lambda case: str(case["id"])
)
def test_seed_gives_the_keys_of_libsession(case: dict[str, dict[str, str]]) -> None:
    seed, expected = bytes.fromhex(case["input"]["seed"]), case["expected"]
    account = account_from_seed(seed) if len(seed) == 16 else account_from_ed25519_seed(seed)
    assert (account.ed.secret + account.ed.public).hex() == expected["ed25519_sk"]
    assert account.ed.public.hex() == expected["ed25519_pk"]
    assert account.x.secret.hex() == expected["x25519_sk"]
    assert account.x.public.hex() == expected["x25519_pk"]
    assert account.id_hex == expected["session_id"]


@pytest.mark.parametrize("case", GROUPS["transport:identity.account_id"]["vectors"])
def test_id_follows_from_the_signing_key_alone(case: dict[str, str]) -> None:
    assert account_id_of_ed25519(bytes.fromhex(case["ed25519_pubkey"])).hex() == case["account_id"]
    assert account_from_ed25519_seed(bytes.fromhex(case["ed25519_seed"])).id_hex == case["account_id"]


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_account_seed_of_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidInput, match=f"{length} bytes"):
        account_from_seed(bytes(length))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_ed25519_seed_of_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidInput, match=f"{length} bytes"):
        account_from_ed25519_seed(bytes(length))


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33), b"\xff" * 32, bytes(32)])
def test_what_is_no_ed25519_key_has_no_id(public: bytes) -> None:
    with pytest.raises(CannotOpen):
        account_id_of_ed25519(public)


def test_both_ways_to_the_x25519_key_agree() -> None:
    for number in range(20):
        account = account_from_seed(number.to_bytes(16, "big"))
        assert real.x25519_keypair(account.x.secret) == account.x
        assert account_id_of_ed25519(account.ed.public) == account.id


@pytest.mark.parametrize("case", GROUPS["messages:ed25519"], ids=lambda case: str(case["name"]))
def test_keys_and_signatures_of_the_message_vectors(case: dict[str, Any]) -> None:
    pair = real.ed25519_keypair(bytes.fromhex(case["input"]["seed"]))
    if case["name"] == "sign":
        message = case["input"]["message_utf8"].encode()
        assert real.ed25519_sign(pair, message).hex() == case["expected"]
        assert real.ed25519_verify(pair.public, message, bytes.fromhex(case["expected"]))
    else:
        assert pair.public.hex() == case["expected"]["pk"]
        assert (pair.secret + pair.public).hex() == case["expected"]["sk64"]
