"""Explanations of facts on a hand-driven run: every step with bytes of the observer's own view."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sessionsim.adversary import Closure, facts_of
from sessionsim.adversary.explaining import explain
from sessionsim.core.ledger import SENTENCES, Relation, sentence

GUARD, REPLICA, OWN_REPLICA = 0, 12, 8


@pytest.fixture
def told(stage: Any) -> Any:
    """Explain all facts of guard and replicas, by relation."""
    stage.poll(0, (GUARD, 5, 6, OWN_REPLICA))
    stage.store(0, 1, (GUARD, 1, 2, REPLICA))
    closure = Closure(stage.view((GUARD, REPLICA, OWN_REPLICA)))
    return {fact.relation: (fact, explain(closure, fact), closure) for fact in facts_of(closure)}


def lines(explanation: Any, pattern: str) -> list[str]:
    return [line for step in explanation.steps for line in step.told if re.search(pattern, line)]


def test_steps_are_those_of_the_derivation(told: Any) -> None:
    for fact, explanation, _ in told.values():
        assert tuple(step.text for step in explanation.steps) == fact.derivation
        assert explanation.says == sentence(fact.relation, fact.subject, fact.object)


def test_an_opened_layer_shows_cipher_keys_and_what_was_inside(told: Any) -> None:
    _, explanation, _ = told[Relation.ADDRESSED_TO]
    (how,) = lines(explanation, "The layer names the passing key")
    assert "node:12 has the secret of" in how
    (what,) = lines(explanation, "The cipher accepts")
    assert "the request itself, 1 calls" in what


def test_fields_are_shown_where_they_stand(told: Any, stage: Any) -> None:
    _, explanation, _ = told[Relation.ADDRESSED_TO]
    assert lines(explanation, r'bytes \d+ to \d+: .*"method":"store"')
    assert lines(explanation, stage.accounts[1].id_hex)


def test_a_signature_says_what_it_proves(told: Any) -> None:
    _, explanation, _ = told[Relation.ACTS_FOR]
    assert lines(explanation, "Ed25519 accepts the signature under")
    assert lines(explanation, "At 0.001500 s node 0 gets")


def test_shared_answers_say_where_the_string_stands_in_both_rows(told: Any) -> None:
    _, explanation, _ = told[Relation.SENT]
    shared = [step for step in explanation.steps if "hold one answer ciphertext" in step.text]
    assert shared
    assert len([line for line in shared[0].told if "the base64 text decodes to" in line]) == 2


def test_only_bytes_of_the_observers_own_rows_are_shown(told: Any) -> None:
    for _, explanation, closure in told.values():
        seen = b"".join(closure.view.blobs.values())
        for line in lines(explanation, r"^ +\d+  ([0-9a-f]{2} ){8}"):
            raw = bytes.fromhex("".join(line.split("  ")[-2 if "  " in line.strip() else 0].split()))
            opened = [
                opened.plaintext
                for place in range(len(closure.transcript))
                if closure.transcript.layer[place] >= 0
                for _, opened in closure.transcript.peeled(place)
                if opened is not None
            ]
            assert raw in seen or any(raw in text for text in opened)


def test_every_relation_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Relation)
    assert sentence(Relation.TALKS_TO, "account:05aa", "account:05bb") == "account:05aa wrote to account:05bb"
