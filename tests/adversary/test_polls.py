"""What is noted of repeated requests and answers is what is noted when each is read; mostly hand-made."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.adversary import Transcript, deduce
from sessionsim.adversary.keyring import Keys
from sessionsim.adversary.meaning import Meaning
from sessionsim.adversary.polls import EmptyAnswers, Polls
from sessionsim.adversary.readers import read_node_answer, read_plaintext
from sessionsim.adversary.repeats import Repeats
from sessionsim.adversary.terms import Innermost
from sessionsim.adversary.usual import is_usual
from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.frame import encode_frame

ALICE, BOB = (account_from_seed(bytes([k]) * 16) for k in (1, 2))
STAMP, NODES = 1_777_000_000_000, NodeList((), (), (), (), ())
CONTROL = b'{"headers":""}'
HASH = base64.b64encode(bytes(32)).decode().rstrip("=")
Body = Callable[[int], bytes]  # of a request, by its time


def signature(time: int, number: int = 0) -> bytes:
    return bytes([time % 251, number]) * 32


def body(style: str, time: int, cursors: Sequence[str] = ("", HASH), method: bytes = b"batch") -> bytes:
    calls = [
        rpc.retrieve_call(
            rpc.BODY_STYLES[style], ALICE.id_hex, ALICE.ed.public.hex(), namespace, cursor, time,
            signature(time, namespace), -2,
        )
        for namespace, cursor in enumerate(cursors)
    ]  # fmt: skip
    return rpc.batch_body(rpc.BODY_STYLES[style], calls, method)


def everything(meaning: Any) -> dict[str, Any]:
    """Give all that was noted."""
    return {name: copied(value) for name, value in vars(meaning).items() if not name.startswith("_")}


def copied(value: Any) -> Any:
    """Give columns and what else collects as plain lists."""
    if isinstance(value, tuple):
        return [copied(one) for one in value]
    return list(value) if hasattr(value, "__iter__") else everything(value)


def noted(plaintexts: Sequence[bytes], *, again: bool) -> tuple[dict[str, Any], int]:
    """Note requests one after the other. Returns what was noted, and how many were not read."""
    meaning, spared = Meaning(suite_named("fast"), Keys(()), (), lambda request: ()), 0
    polls = Polls(meaning, lambda plaintext: read_plaintext(plaintext, NODES))
    for plaintext in plaintexts:
        found = polls.find(plaintext) if again else None
        if found is not None:
            polls.take(found)
            spared += 1
            continue
        term = read_plaintext(plaintext, NODES)
        if isinstance(term, Innermost):
            polls.learn(plaintext, term, meaning.take_request(term.body))
    return everything(meaning), spared


def both(bodies: Sequence[bytes], control: bytes = CONTROL) -> int:
    """Note requests both ways; gives how many were not read."""
    plaintexts = [encode_frame(one, control) for one in bodies]
    fast, spared = noted(plaintexts, again=True)
    assert fast == noted(plaintexts, again=False)[0]
    return spared


@pytest.mark.parametrize("style", rpc.BODY_STYLES)
@pytest.mark.parametrize("method", [b"batch", b"sequence"])
def test_polls_of_every_program_are_read_once(style: str, method: bytes) -> None:
    times = [STAMP + 1000 * k for k in range(5)]
    assert both([body(style, time, method=method) for time in times]) == 4
    assert both([body(style, time, [""], method) for time in times]) == 4


def test_a_new_cursor_or_account_is_read() -> None:
    other = body("desktop", STAMP).replace(ALICE.id_hex.encode(), BOB.id_hex.encode())
    moved = body("desktop", STAMP, (HASH, HASH))
    assert both([body("desktop", STAMP), moved, other, body("desktop", STAMP, ("", ""))]) == 0
    assert both([body("desktop", STAMP), moved, other] * 2) == 3


def test_single_retrieves_are_read_once_too() -> None:
    def single(time: int) -> bytes:
        call = rpc.retrieve_call(
            rpc.DESKTOP, ALICE.id_hex, ALICE.ed.public.hex(), 0, HASH, time, signature(time), -2
        )
        return rpc.request_body(rpc.DESKTOP, call)

    assert both([single(STAMP), single(STAMP + 1)]) == 1


def replaced(old: bytes, new: Body) -> Body:
    return lambda time: body("desktop", time).replace(old, new(time), 1)


def of_signature(time: int) -> bytes:
    return base64.b64encode(signature(time))


HOSTILE: dict[str, Body] = {
    "another field": replaced(b'"namespace":0', lambda time: b'"namespace":0,"trace":"%d"' % time),
    "a field around a call": replaced(b'{"method":"re', lambda time: b'{"x":%d,"method":"re' % time),
    "a field around all": replaced(b'"method":"batch"', lambda time: b'"method":"batch","x":%d' % time),
    "a name around all": replaced(b'"jsonrpc":"2.0"', lambda time: b'"x":"%b"' % BOB.id_hex.encode()),
    "the time in another field": replaced(b'"max_size":-2', lambda time: b'"max_size":%d' % time),
    "a signature twice": replaced(
        b'"namespace":0', lambda time: b'"signature":"%b","namespace":0' % of_signature(time + 1)
    ),
    "a time twice": replaced(b'"namespace":0', lambda time: b'"timestamp":%d,"namespace":0' % (time + 1)),
    "one time otherwise": replaced(b'"timestamp":', lambda time: b'"timestamp": '),
    "one time within": replaced(
        b'"timestamp":%d' % STAMP, lambda time: b'"timestamp" :%d,"x":{"timestamp":%d}' % (STAMP, time)
    ),
    "a signature within": replaced(
        b'"namespace":0', lambda time: b'"max_count":{"signature":"%b"},"namespace":0' % of_signature(time)
    ),
    "a time that is no whole number": replaced(b'"timestamp":', lambda time: b'"timestamp":1.'),
    "a time as text": replaced(b'"timestamp":%d' % STAMP, lambda time: b'"timestamp":"%d"' % time),
    "an escaped key": replaced(b'"timestamp"', lambda time: b'"\\u0074imestamp"'),
    "a key that only ends so": replaced(b'"timestamp"', lambda time: b'"x\\"timestamp"'),
    "an unknown method": replaced(b'"method":"retrieve"', lambda time: b'"method":"info"'),
    "no signature": replaced(b'"signature"', lambda time: b'"signatures"'),
    "a short signature": replaced(b'=="', lambda time: b'"'),
    "a name for a signature": lambda time: body("desktop", time).replace(
        of_signature(time), BOB.id_hex.encode() + b"a" * 22
    ),
    "another account": replaced(ALICE.id_hex.encode(), lambda time: BOB.id_hex.encode()),
    "no account": replaced(ALICE.id_hex.encode(), lambda time: b"00"),
    "another key": replaced(ALICE.ed.public.hex().encode(), lambda time: BOB.ed.public.hex().encode()),
    "no JSON": lambda time: body("desktop", time)[:-1],
    "no calls": lambda time: b'{"method":"batch","params":{"requests":[],"timestamp":%d}}' % time,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_as_usual_is_noted_as_if_it_were_new(name: str) -> None:
    times = [STAMP, STAMP + 1, STAMP + 2]
    both([HOSTILE[name](time) for time in times])
    both([one(time) for time in times for one in (HOSTILE[name], lambda time: body("desktop", time))])


@pytest.mark.parametrize("name", ["another field", "a field around a call", "a name around all"])
def test_a_request_with_anything_else_in_it_is_always_read(name: str) -> None:
    assert both([HOSTILE[name](STAMP)] * 3) == 0


def test_a_request_that_stores_is_always_read() -> None:
    def store(time: int) -> bytes:
        fields = {
            "pubkey": ALICE.id_hex, "namespace": 0, "timestamp": time, "ttl": 5, "data": "AAAA",
            "signature": base64.b64encode(signature(time)).decode(),
        }  # fmt: skip
        return rpc.batch_body(rpc.DESKTOP, [(b"store", orjson.dumps(fields))])

    assert both([store(STAMP), store(STAMP + 1)]) == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*HOSTILE, ""]), st.integers(0, 3)), max_size=8))
def test_any_order_of_requests_gives_the_same(order: list[tuple[str, int]]) -> None:
    both([HOSTILE.get(name, lambda time: body("desktop", time))(STAMP + more) for name, more in order])


@given(st.binary(min_size=64, max_size=64), st.integers(10**12, 10**13 - 1))
def test_signatures_and_times_are_usual_whatever_they_are(raw: bytes, time: int) -> None:
    # What repeats is not looked at again, so this must hold of every value in a blank.
    assert is_usual("signature", base64.b64encode(raw).decode())
    assert is_usual("timestamp", time)
    assert is_usual("timestamp", str(time))
    assert is_usual("t", time)


def answer(time: int, results: int = 2, more: str = "") -> bytes:
    item = f'{{"body":{{"hf":[19,4],"messages":[],"more":false,"t":{time}{more}}},"code":200}}'
    return orjson.dumps({"body": f'{{"results":[{",".join([item] * results)}]}}', "status": 200})


def answered(texts: Sequence[bytes], requests: Sequence[bytes], *, again: bool) -> tuple[dict[str, Any], int]:
    """Note answers to requests. Returns what was noted, and how many were not read."""
    meaning, spared = Meaning(suite_named("fast"), Keys(()), (), lambda request: ()), 0
    empty = EmptyAnswers(meaning)
    for number, (text, request) in enumerate(zip(texts, requests, strict=True)):
        term = read_plaintext(encode_frame(request, CONTROL), NODES)
        assert isinstance(term, Innermost)
        asked = meaning.take_request(term.body)
        if again and empty.take(asked, number, text):
            spared += 1
            continue
        read = read_node_answer(text, len(meaning.calls[asked]))
        if read is not None:
            meaning.take_answer(asked, number, read)
            empty.learn(asked, text, read)
    return everything(meaning), spared


def both_answers(texts: Sequence[bytes], requests: Sequence[bytes]) -> int:
    fast, spared = answered(texts, requests, again=True)
    assert fast == answered(texts, requests, again=False)[0]
    return spared


def test_empty_answers_to_polls_are_read_once() -> None:
    requests = [body("desktop", STAMP + k) for k in range(4)]
    assert both_answers([answer(STAMP + 7 * k) for k in range(4)], requests) == 3


def test_answers_to_other_numbers_of_calls_are_read() -> None:
    requests = [body("desktop", STAMP, cursors) for cursors in (("",), ("", ""), ("", "", ""))]
    assert both_answers([answer(STAMP + k) for k in range(3)], requests) == 0


@pytest.mark.parametrize(
    "more",
    [
        f',"x":"{BOB.id_hex}"',
        f',"x":{STAMP}',
        f',"messages":[{{"hash":"{HASH}"}}]',
        ',"messages":null',
        f',"swarm":"{BOB.id_hex}"',
        f',"t":"{BOB.id_hex}"',
    ],
)
def test_answers_that_say_more_are_read(more: str) -> None:
    requests = [body("desktop", STAMP + k) for k in range(4)]
    texts = [answer(STAMP + k, 2, more) for k in range(4)]
    assert both_answers(texts, requests) == 0
    assert both_answers([answer(STAMP), *texts[:2], answer(STAMP + 1)], requests) == 1


def test_an_empty_answer_to_something_else_is_read() -> None:
    info = rpc.batch_body(rpc.DESKTOP, [(b"info", b"{}")] * 2)
    poll = body("desktop", STAMP)
    assert both_answers([answer(STAMP + k) for k in range(4)], [poll, info, info, poll]) == 1
    assert both_answers([answer(STAMP + k) for k in range(4)], [info] * 4) == 0


@pytest.mark.parametrize("style", ["desktop", "libsession"])
def test_facts_are_the_same_as_when_everything_is_read(
    make_stage: Any, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_stage(style=style)
    for k in range(3):
        stage.poll(0, (0, 5, 6, 8))
        stage.poll(1, (3, 4, 5, 13), forged=k == 1)
    stage.store(0, 1, (0, 1, 2, 12))
    for _ in range(3):
        stage.poll(1, (3, 4, 5, 13))
    view = stage.view(tuple(range(16)))
    fast = deduce(view, Transcript(view))
    monkeypatch.setattr(Repeats, "find", lambda self, text: None)
    assert deduce(view, Transcript(view)) == fast
