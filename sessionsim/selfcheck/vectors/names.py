"""The section about answers of the name service."""

from __future__ import annotations

from sessionsim.protocol.names import Answer, open_answer, seal_answer
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, plain, section
from sessionsim.selfcheck.vectors.identity import new_account

_WORDS = ("river", "grüße", "node", "привет", "onion", "你好", "🙂", "swarm", "path", "quiet")


def _make(draw: Draw) -> Made:
    name = "-".join(draw.choice(_WORDS) for _ in range(draw.between(1, 4)))
    account_id = new_account(draw).id
    answer = seal_answer(name, account_id, draw.raw(24))
    return {
        "input": plain({"name": name, "ciphertext": answer.ciphertext, "nonce": answer.nonce}),
        "expected": plain({"session_id": account_id}),
    }


@section(
    "ons_response",
    covers=["protocol.names.open_answer", "protocol.names.seal_answer"],
    direction="decrypt",
    make=_make,
)
def ons_response(case: Case) -> None:
    """A name's answer, opened to the account id; without nonce in the form before hard fork 16."""
    name, nonce = case.text("name"), case.raw("nonce") if case.value("nonce", None) else None
    account_id = open_answer(name, Answer(case.raw("ciphertext"), nonce))
    case.same("session_id", account_id)
    case.rebuilt("ciphertext", seal_answer(name, account_id, nonce).ciphertext)
