"""Subscriptions at nodes: the bencoded forms, every error code, and hostile bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.monitor import (
    SIGNATURE_EARLY_US,
    SIGNATURE_LIFE_US,
    SUBSCRIPTION_LIFE_US,
    MonitorCall,
    MonitorError,
    MonitorRefused,
    Notification,
    check_time,
    read_answer,
    read_calls,
    read_ended,
    read_notification,
    signed_text,
    write_answer,
    write_call,
    write_calls,
    write_ended,
    write_notification,
)

GROUP, ED = b"\x03" + bytes(range(32)), bytes(range(32, 64))
TOKEN, TOKEN_SIGNATURE, SIGNATURE = bytes(36), bytes([1]) * 64, bytes([2]) * 64
NOW_S = 1_777_000_000
PERSON_CALL = MonitorCall(b"", ED, b"", b"", True, (-5, 0, 23), SIGNATURE, NOW_S)
GROUP_CALL = MonitorCall(GROUP, b"", TOKEN, TOKEN_SIGNATURE, False, (11,), SIGNATURE, NOW_S)
HASH = "h" * 43
NOTIFICATION = Notification(GROUP, HASH, -11, NOW_S * 1000, NOW_S * 1000 + 5, b"body")


def test_what_is_signed() -> None:
    text = signed_text(GROUP, NOW_S, True, (-11, 11, 12))
    assert text == b"MONITOR" + GROUP.hex().encode() + b"17770000001-11,11,12"
    assert signed_text(GROUP, NOW_S, False, (0,)).endswith(b"177700000000")


def test_requests_stand_as_nodes_expect_them() -> None:
    assert write_call(PERSON_CALL) == (
        b"d1:P32:" + ED + b"1:di1e1:nli-5ei0ei23ee1:s64:" + SIGNATURE + b"1:ti1777000000ee"
    )
    assert write_call(GROUP_CALL) == (
        b"d1:S64:" + TOKEN_SIGNATURE + b"1:T36:" + TOKEN + b"1:nli11ee1:p33:" + GROUP
        + b"1:s64:" + SIGNATURE + b"1:ti1777000000ee"
    )  # fmt: skip


def test_requests_come_back_alone_and_as_a_list() -> None:
    calls = [PERSON_CALL, GROUP_CALL]
    for call in calls:
        assert read_calls(write_call(call)) == ([call], False)
    assert read_calls(write_calls([write_call(call) for call in calls])) == (calls, True)
    assert read_calls(b"le") == ([], True)


@pytest.mark.parametrize(
    "wrong",
    [
        PERSON_CALL._replace(account=GROUP),
        PERSON_CALL._replace(ed25519=b""),
        GROUP_CALL._replace(token=b""),
        GROUP_CALL._replace(token_signature=b""),
    ],
)
def test_own_mistakes(wrong: MonitorCall) -> None:
    with pytest.raises(LocalProtocolError):
        write_call(wrong)


FIELDS = {b"p": GROUP, b"n": [0, 1], b"s": SIGNATURE, b"t": NOW_S}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({b"p": None}, MonitorError.BAD_ARGS),
        ({b"P": ED}, MonitorError.BAD_ARGS),  # both
        ({b"P": ED[:31], b"p": None}, MonitorError.BAD_PUBKEY),
        ({b"P": 5, b"p": None}, MonitorError.BAD_ARGS),
        ({b"p": GROUP[:32]}, MonitorError.BAD_PUBKEY),
        ({b"p": [GROUP]}, MonitorError.BAD_ARGS),
        ({b"S": TOKEN_SIGNATURE}, MonitorError.BAD_ARGS),  # no token
        ({b"S": TOKEN_SIGNATURE, b"T": TOKEN[:35]}, MonitorError.BAD_PUBKEY),
        ({b"S": TOKEN, b"T": TOKEN_SIGNATURE}, MonitorError.BAD_PUBKEY),  # as transport 5.12 names them
        ({b"d": 2}, MonitorError.BAD_ARGS),
        ({b"d": b"1"}, MonitorError.BAD_ARGS),
        ({b"n": None}, MonitorError.BAD_ARGS),
        ({b"n": []}, MonitorError.BAD_ARGS),
        ({b"n": 0}, MonitorError.BAD_ARGS),
        ({b"n": [b"0"]}, MonitorError.BAD_ARGS),
        ({b"n": [32768]}, MonitorError.BAD_ARGS),
        ({b"n": [-32769]}, MonitorError.BAD_ARGS),
        ({b"n": [1, 0]}, MonitorError.BAD_NS),
        ({b"n": [0, 0]}, MonitorError.BAD_NS),
        ({b"s": None}, MonitorError.BAD_ARGS),
        ({b"s": SIGNATURE[:63]}, MonitorError.BAD_SIG),
        ({b"t": None}, MonitorError.BAD_ARGS),
        ({b"t": b"1"}, MonitorError.BAD_ARGS),
        ({b"t": 1 << 63}, MonitorError.BAD_ARGS),
    ],
)
def test_each_error_has_its_code(change: dict[bytes, object], code: MonitorError) -> None:
    fields = {key: value for key, value in {**FIELDS, **change}.items() if value is not None}
    good = write_call(GROUP_CALL)
    (first, second), many = read_calls(b"l" + good + bencode.encode(fields) + b"e")
    assert (first, many) == (GROUP_CALL, True)
    assert isinstance(second, MonitorRefused)
    assert second.code == code


def test_a_token_without_signature_is_not_looked_at() -> None:
    ((call,), _many) = read_calls(bencode.encode({**FIELDS, b"T": b"x", b"d": 0}))
    assert call == MonitorCall(GROUP, b"", b"", b"", False, (0, 1), SIGNATURE, NOW_S)


@pytest.mark.parametrize(
    "payload", [b"", b"i1e", b"1:x", b"l1:xe", b"lli1eee", b"d", b"de1", b"d1:n" + b"l" * 99]
)
def test_what_is_no_request_at_all(payload: bytes) -> None:
    with pytest.raises(MonitorRefused) as wrong:
        read_calls(payload)
    assert wrong.value.code == MonitorError.BAD_ARGS


def test_an_empty_dict_is_one_refused_subscription() -> None:
    ((refusal,), many) = read_calls(b"de")
    assert isinstance(refusal, MonitorRefused)
    assert not many


def test_a_signature_is_good_for_two_weeks_and_a_day_ahead() -> None:
    unix_us = NOW_S * 1_000_000
    check_time(NOW_S, unix_us + SIGNATURE_LIFE_US)
    check_time(NOW_S, unix_us - SIGNATURE_EARLY_US)
    for off_us, why in ((SIGNATURE_LIFE_US + 1, "too old"), (-SIGNATURE_EARLY_US - 1, "future")):
        with pytest.raises(MonitorRefused, match=why) as wrong:
            check_time(NOW_S, unix_us + off_us)
        assert wrong.value.code == MonitorError.BAD_TS == 4
    assert (SIGNATURE_LIFE_US, SIGNATURE_EARLY_US) == (14 * 86_400_000_000, 86_400_000_000)
    assert SUBSCRIPTION_LIFE_US == 65 * 60_000_000


def test_answers_are_written_as_nodes_do_and_read() -> None:
    refusal = MonitorRefused(MonitorError.BAD_SIG, "Signature verification failed")
    assert write_answer([None], many=False) == b"d7:successi1ee"
    assert write_answer([None, None], many=True) == b"ld7:successi1eed7:successi1eee"
    alone = write_answer([refusal], many=False)
    assert alone == b"d7:errcodei5e5:error29:Signature verification failede"
    assert read_answer(alone) == [5]
    assert read_answer(write_answer([None, refusal], many=True)) == [0, 5]
    assert read_answer(b"d7:errcodei7ee") == [7]  # one of a later server
    assert [error.value for error in MonitorError] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "payload", [b"", b"i0e", b"l1:xe", b"de", b"d7:errcodei0ee", b"d7:errcode1:5e", b"d7:successi2ee"]
)
def test_malformed_answers_are_refused(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_answer(payload)


def test_notifications_stand_as_nodes_send_them() -> None:
    raw = write_notification(NOTIFICATION)
    assert raw == (
        b"d1:@33:"
        + GROUP
        + b"1:h43:"
        + HASH.encode()
        + b"1:ni-11e1:ti1777000000000e1:zi1777000000005e1:~4:bodye"
    )
    assert read_notification(raw) == NOTIFICATION
    for data in (None, b""):
        bare = NOTIFICATION._replace(data=data)
        assert read_notification(write_notification(bare)) == bare


GOOD = {b"@": GROUP, b"h": HASH, b"n": 0, b"t": 1, b"z": 2}


@pytest.mark.parametrize(
    "change",
    [
        {b"@": None},
        {b"@": GROUP[:32]},
        {b"h": None},
        {b"h": "h" * 31},
        {b"h": "h" * 100},
        {b"h": b"\xff" * 43},
        {b"n": None},
        {b"n": 40_000},
        {b"t": b"1"},
        {b"z": None},
        {b"z": 1 << 63},
        {b"~": 5},
        {b"x": [[]]},
    ],
)
def test_malformed_notifications_are_refused(change: dict[bytes, object]) -> None:
    assert read_notification(bencode.encode(GOOD))
    fields = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    for raw in (bencode.encode(fields), b"l" + bencode.encode(GOOD) + b"e"):
        with pytest.raises(RemoteProtocolError):
            read_notification(raw)


def test_the_end_of_a_subscription() -> None:
    moved = MonitorRefused(MonitorError.WRONG_SWARM, "moved")
    raw = write_ended(GROUP, moved)
    assert raw == b"d1:@33:" + GROUP + b"7:errcodei6e5:error5:movede"
    assert read_ended(raw) == (GROUP, 6)
    for wrong in (b"le", b"de", b"d1:@33:" + GROUP + b"e", b"d1:@1:x7:errcodei6ee"):
        with pytest.raises(RemoteProtocolError):
            read_ended(wrong)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    st.binary(max_size=80)
    | st.dictionaries(
        st.sampled_from([b"P", b"S", b"T", b"d", b"n", b"p", b"s", b"t", b"@", b"h", b"z", b"~"]),
        st.integers(-3, 1 << 63)
        | st.binary(max_size=66)
        | st.lists(st.integers(-40_000, 40_000), max_size=3),
        max_size=8,
    ).map(bencode.encode)
)
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    for read in (read_calls, read_answer, read_notification, read_ended):
        try:
            read(payload)
        except RemoteProtocolError:
            continue


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    st.sets(st.integers(-32768, 32767), min_size=1, max_size=8),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 1 << 40),
)
def test_any_call_comes_back(spaces: set[int], person: bool, member: bool, data: bool, time_s: int) -> None:
    call = MonitorCall(
        b"" if person else GROUP,
        ED if person else b"",
        TOKEN if member else b"",
        TOKEN_SIGNATURE if member else b"",
        data,
        tuple(sorted(spaces)),
        SIGNATURE,
        time_s,
    )
    assert read_calls(write_call(call)) == ([call], False)


def test_a_refusal_does_not_keep_what_it_came_through() -> None:
    calls, _many = read_calls(b"l" + b"de" * 3 + b"e")
    assert [(type(call), call.__traceback__) for call in calls] == [(MonitorRefused, None)] * 3
