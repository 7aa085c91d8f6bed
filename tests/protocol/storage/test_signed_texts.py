"""What requests and receipts are signed over: the reference's texts and signatures, and what must not fit."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sessionsim.protocol.crypto import real
from sessionsim.protocol.wire import rpc, rpc_signed
from sessionsim.selfcheck.vectors import judge, sections
from sessionsim.selfcheck.vectors._section import Draw

GROUPS = json.loads((Path(__file__).parents[2] / "vectors" / "storage.json").read_text("utf-8"))["groups"]
CASES = GROUPS["libsession:request_signature"]["cases"]
Make = Callable[..., Any]


def text_of(given: dict[str, Any]) -> bytes:
    method, space = given["method"], given.get("namespace", 0)
    namespace = None if space == "all" else space
    if method in ("store", "retrieve", "delete_all"):
        return rpc_signed.namespaced_text(method, namespace, given["timestamp"])
    if method == "delete_before":
        return rpc_signed.namespaced_text(method, namespace, given["before"])
    if method == "expire_all":
        return rpc_signed.namespaced_text(method, namespace, given["expiry"])
    if method == "delete":
        return rpc_signed.delete_text(given["messages"])
    if method == "expire":
        return rpc_signed.expire_text(given.get("mode", ""), given["expiry"], given["messages"])
    if method == "get_expiries":
        return rpc_signed.expiries_text(given["timestamp"], given["messages"])
    tokens = [bytes.fromhex(token) for token in given["subaccounts"]]
    return rpc_signed.tokens_text(method, given["timestamp"], tokens)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_reference_signs_the_same(case: dict[str, Any]) -> None:
    text = text_of(case["input"])
    assert text.hex() == case["expected"]["signed_text"]
    seed = bytes.fromhex(case["input"]["ed25519_sk"])[:32]
    assert real.ed25519_sign(real.ed25519_keypair(seed), text).hex() == case["expected"]["signature"]


def test_namespace_0_is_left_out_and_all_is_a_word() -> None:
    assert rpc_signed.namespaced_text("delete_all", 0, 17) == b"delete_all17"
    assert rpc_signed.namespaced_text("delete_all", -11, 17) == b"delete_all-1117"
    assert rpc_signed.namespaced_text("delete_all", None, 17) == b"delete_allall17"


def test_receipts_join_the_account_and_what_was_done() -> None:
    account = b"\x03" + bytes(32)
    name = account.hex().encode()
    assert rpc_signed.deleted_receipt(account, ["b", "a"], ["a"]) == name + b"baa"
    assert rpc_signed.swept_receipt(account, 5, ["a", "b"]) == name + b"5ab"
    assert rpc_signed.expiry_receipt(account, [7], ["b", "a"], ["a"], {"z": 3, "b": 9}) == name + b"7baab9z3"
    assert rpc_signed.tokens_receipt(account, 5, [b"\x00\xff", b"x"]) == name + b"5\x00\xffx"


def test_no_two_methods_and_windows_share_a_text() -> None:
    # Nothing separates the parts; a request that could pass for another one is out of its window.
    stamp = 1_777_000_000_000
    assert rpc_signed.namespaced_text("retrieve", 1, stamp) == rpc_signed.namespaced_text(
        "retrieve", 11, stamp - 1_000_000_000_000
    )
    texts = [
        rpc_signed.namespaced_text(method, namespace, stamp)
        for method in ("store", "retrieve", "delete_all", "delete_before", "expire_all")
        for namespace in (0, 1, 5, -1, -11, 11, None)
    ]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    "name", ["message_hash", "namespace_rules", "request_signature", "request_authorisation"]
)
def test_sections_pass_on_the_reference_and_on_their_own_cases(name: str) -> None:
    for case in GROUPS[f"libsession:{name}"]["cases"]:
        (verdict,) = judge({name: [case]})
        assert verdict.problems == ()
    made = [dict(sections()[name].make(Draw(f"{name} {n}"))) for n in range(20)]
    names = {name for case in GROUPS[f"libsession:{name}"]["cases"] for name in case["input"]}
    for case in made:
        (verdict,) = judge({name: [case]})
        assert verdict.problems == ()
        assert names.issuperset(case["input"])
        for field, value in case["expected"].items():
            wrong = not value if isinstance(value, bool) else value[:-1] + ("0" if value[-1] != "0" else "1")
            (verdict,) = judge({name: [{**case, "expected": case["expected"] | {field: wrong}}]})
            assert verdict.problems
    assert len({json.dumps(case) for case in made}) == 20


def test_hashes_are_those_of_the_sources() -> None:
    for group in ("transport:storage.message_hash", "transport:storage.message_hash_self_computed"):
        for one in GROUPS[group]["vectors"]:
            data = base64.b64decode(one["data_base64"])
            assert rpc.message_hash(bytes.fromhex(one["pubkey"]), one["namespace"], data) == one["hash"]
