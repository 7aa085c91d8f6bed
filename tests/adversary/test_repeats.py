"""A text is known again by all of it but its times and signatures; hand-made texts."""

from __future__ import annotations

import base64

import pytest

from sessionsim.adversary.repeats import SIGNATURE_CHARACTERS, TIME_DIGITS, Repeats, Span

TEXT = b'{"a":%b,"s":"%b","b":%b,"c":"x"}'
ONE, OTHER = b"1777000000000", b"1777000000999"
SIGNED, SIGNED_AGAIN = (base64.b64encode(bytes([value]) * 64) for value in (1, 255))


def text(
    time: bytes = ONE, signature: bytes = SIGNED, then: bytes | None = None, form: bytes = TEXT
) -> bytes:
    return form % (time, signature, time if then is None else then)


def blanks() -> list[Span]:
    first, signed = text().index(ONE), text().index(SIGNED)
    second = text().index(ONE, signed)
    return [
        (first, first + TIME_DIGITS),
        (signed, signed + SIGNATURE_CHARACTERS),
        (second, second + TIME_DIGITS),
    ]


@pytest.fixture
def repeats() -> Repeats[str]:
    made: Repeats[str] = Repeats()
    made.learn(text(), blanks(), "this")
    return made


def test_a_text_with_another_time_and_signature_is_known(repeats: Repeats[str]) -> None:
    assert repeats.find(text()) == ("this", ONE, (SIGNED,))
    assert repeats.find(text(OTHER, SIGNED_AGAIN)) == ("this", OTHER, (SIGNED_AGAIN,))


@pytest.mark.parametrize(
    "other",
    [
        text(form=TEXT.replace(b"x", b"y")),
        text(form=TEXT.replace(b'"a"', b'"A"')),
        text(form=TEXT + b" "),
        text()[1:],
        text(then=OTHER),
        text(b"0777000000000"),
        text(b"177700000000e"),
        text(b"-777000000000"),
        text(signature=b'"' + SIGNED[1:]),
        text(signature=SIGNED[:-1] + b"\\"),
        text(signature=b"\xc3\xa4" + SIGNED[2:]),
        text(signature=b"\n" + SIGNED[1:]),
        b"",
    ],
)
def test_any_other_difference_makes_a_text_new(repeats: Repeats[str], other: bytes) -> None:
    assert repeats.find(other) is None


def test_texts_of_one_length_are_told_apart_by_where_their_blanks_are(repeats: Repeats[str]) -> None:
    other = b'{"z":%b,"c":"x","s":"%b","b":%b}' % (ONE, SIGNED, ONE)
    signed = other.index(SIGNED)
    second = other.index(ONE, signed)
    repeats.learn(other, [(5, 5 + TIME_DIGITS), (signed, signed + 88), (second, second + 13)], "that")
    assert len(other) == len(text())
    found = [repeats.find(one) for one in (text(OTHER), other.replace(ONE, OTHER))]
    assert [one[0] for one in found if one is not None] == ["this", "that"]


def test_what_is_learned_last_of_a_text_holds(repeats: Repeats[str]) -> None:
    repeats.learn(text(OTHER), blanks(), "that")
    assert repeats.find(text()) == ("that", ONE, (SIGNED,))


def test_no_more_is_kept_than_allowed() -> None:
    few: Repeats[int] = Repeats(most=3)
    forms = [TEXT.replace(b"x", b"%d" % number) for number in range(4)]
    for number, form in enumerate(forms):
        few.learn(text(form=form), blanks(), number)
    found = [few.find(text(form=form)) for form in forms]
    assert [one and one[0] for one in found] == [None, None, None, 3]
