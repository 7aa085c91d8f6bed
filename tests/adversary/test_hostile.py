"""Whatever bytes the records hold, deduction ends without an error and believes only what opens."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.adversary import claims, deduce
from sessionsim.adversary.forms import form_of
from sessionsim.adversary.names import names_in, owner_of_ed25519
from sessionsim.adversary.readers import (
    read_answer_ciphertext,
    read_clear_answer,
    read_plaintext,
    read_request,
)
from sessionsim.adversary.readers.storage import read_calls
from sessionsim.core.columns import HEADS
from sessionsim.core.ledger import Relation
from sessionsim.core.nodelist import NodeList
from sessionsim.core.view import View
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.onion import Hop, build_request

EVERYWHERE = tuple(range(18))
NODES = NodeList((), (), (), (), ())


@pytest.fixture(scope="module")
def talk(make_stage: Any) -> Any:
    stage = make_stage()
    stage.poll(0, (0, 5, 6, 8))
    stage.store(0, 1, (0, 1, 2, 12))
    stage.poll(1, (3, 4, 5, 13))
    return stage


def altered(view: View, blobs: dict[int, bytes], **columns: Any) -> View:
    rows = {**view.rows, **columns}
    return View("eve", view.suite, rows, blobs, view.keys, view.nodes, view.own, view.addresses)


def timeless(facts: Any) -> set[Any]:
    return {claim for claim in claims(facts) if claim[0] is not Relation.ONLINE}


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.data())
def test_flipped_bytes_neither_crash_nor_add_facts_about_who(talk: Any, data: st.DataObject) -> None:
    view = talk.view(EVERYWHERE)
    blobs = dict(view.blobs)
    for blob in data.draw(st.lists(st.sampled_from(sorted(blobs)), min_size=1, max_size=4)):
        raw = bytearray(blobs[blob])
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
        blobs[blob] = bytes(raw)
    honest = timeless(talk.facts(EVERYWHERE))
    found = timeless(deduce(altered(view, blobs)))
    # A forwarded store is not authenticated by itself, so its own fields may lie; who acts can't be forged.
    who = {Relation.ACTS_FOR, Relation.SENT, Relation.FETCHED, Relation.TALKS_TO}
    assert {claim for claim in found if claim[0] in who} <= honest


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.data())
def test_cut_and_random_bytes_do_not_crash(talk: Any, data: st.DataObject) -> None:
    view = talk.view(EVERYWHERE)
    blobs = dict(view.blobs)
    for blob in data.draw(st.lists(st.sampled_from(sorted(blobs)), min_size=1, max_size=6)):
        cut = data.draw(st.integers(0, len(blobs[blob])))
        blobs[blob] = blobs[blob][:cut] + data.draw(st.binary(max_size=40))
    deduce(altered(view, blobs))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(seed=st.integers(0, 1000))
def test_shuffled_bytes_heads_and_exchanges_do_not_crash(talk: Any, seed: int) -> None:
    view = talk.view(EVERYWHERE)
    rng = np.random.default_rng(seed)
    n = len(view.rows["row"])
    columns = {
        "blob": rng.permutation(view.rows["blob"]),
        "head": rng.integers(-1, 8, n),
        "direction": rng.integers(0, 2, n),
        "exchange": rng.integers(-1, 5, n),
        "conn": rng.integers(0, 3, n),
    }
    deduce(altered(view, dict(view.blobs), **columns))


@settings(deadline=None, max_examples=300, derandomize=True)
@given(payload=st.binary(max_size=200), head=st.integers(-1, len(HEADS)))
def test_readers_of_random_bytes_give_terms_or_nothing(payload: bytes, head: int) -> None:
    read_request(head, payload, 0)
    for server in ("", "v4", "v3"):
        read_plaintext(payload, NODES, server)
    read_clear_answer(200, payload, len(read_calls(payload).calls))
    read_answer_ciphertext(200, payload)
    form_of(payload)
    names_in(payload, ())


NAMES = (
    "pubkey", "pubKey", "data", "namespace", "ttl", "expiry", "timestamp", "signature", "pubkey_ed25519",
)  # fmt: skip
FIELDS: list[Any] = [None, 1, -1, 2**63, 1.5, "", "x", "05", "١٢", "--5", [], {}, [[]], {"a": 1}, True]
RESULTS: list[Any] = [[], 1, [1], [{"code": 200, "body": {"messages": 1}}], [{"code": "x", "body": []}]]


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.data())
def test_well_formed_requests_with_odd_fields_do_not_crash(talk: Any, data: st.DataObject) -> None:
    field = st.sampled_from(FIELDS)
    good = {"pubkey": talk.accounts[1].id_hex, "data": "AAAA", "namespace": 0, "signature": "AAAA"}
    method = data.draw(st.sampled_from(["store", "retrieve", "batch", "sequence", "", "info"]))
    fields = {**good, **{name: data.draw(field) for name in NAMES if data.draw(st.booleans())}}
    inner = [{"method": "store", "params": fields}, data.draw(field)]
    requests = {"requests": data.draw(st.sampled_from([inner, 1, None]))}
    params = requests if method in ("batch", "sequence") else fields
    body = json.dumps({"method": method, "params": params}).encode()
    answer = json.dumps({"results": data.draw(st.sampled_from(RESULTS))})
    view = talk.view(EVERYWHERE)
    direct = view.rows["head"] == HEADS.index("onion_req")
    blobs = dict(view.blobs)
    for blob in view.rows["blob"][direct].tolist():
        blobs[blob] = body
    for blob in view.rows["blob"][view.rows["direction"] == 1].tolist():
        blobs[blob] = answer.encode()
    head = np.where(direct, HEADS.index("storage_rpc"), view.rows["head"])
    deduce(altered(view, blobs, head=head))


@pytest.mark.parametrize(
    "payload",
    [
        bencode.encode([b"store"]),
        bencode.encode([b"store", 1]),
        bencode.encode([1, {}]),
        bencode.encode([b"\xff\xfe", {b"\xff": b"\xff"}]),
        bencode.encode([b"store", b"not bencode"]),
        b"l" * 5000,
    ],
)
def test_odd_forwarded_requests_give_no_facts(make_stage: Any, payload: bytes) -> None:
    stage = make_stage()
    stage.row(12, 13, 1, "sn.storage_cc", payload)
    assert stage.facts([13]) == []


def test_deeply_nested_layers_end(make_stage: Any) -> None:
    stage = make_stage()
    stage.keys.append(("node:3", "x25519", *stage.xs[3], -1))

    hop = Hop(stage.nodes.ed25519[3].hex().encode(), stage.nodes.x25519[3])
    payload, _ = build_request(
        stage.suite, stage.style, [hop] * 60, b"{}", [stage.random() for _ in range(60)]
    )
    stage.row(16, 3, 1, "onion_req", payload)
    assert stage.closure(3).transcript.tries <= 16
    assert stage.exchanges(3)[0].calls is None


def test_endless_keys_and_names_of_fields_cost_no_memory() -> None:
    """What is remembered from call to call is short, whatever others write."""
    owner_of_ed25519.cache_clear()
    long = "05" * 100_000
    for number in range(5):
        names_in({f"{number}{long}": f"{long}{number}", "my_ed25519": f"{long}{number}"}, ())
    assert owner_of_ed25519.cache_info().currsize == 0
    assert all(len(one) < 1000 for one in names_in({long: 1, f"{long}1": 2}, ()))
