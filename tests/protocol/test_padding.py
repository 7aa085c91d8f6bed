"""Both padding rules: the lengths of messages 2.1, the quirk, and the tolerant way back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.protocol.wire.padding import pad, pad_old, padded_bytes, padded_bytes_old, unpad


@pytest.mark.parametrize(
    ("content", "current", "old"),
    [
        (0, 160, 159),
        (12, 160, 159),
        (157, 160, 159),
        (158, 160, 159),
        (159, 320, 319),  # the quirk: n + 1 is a multiple of 160
        (160, 320, 319),
        (318, 320, 319),
        (319, 480, 479),
        (2194, 2240, 2239),
    ],
)
def test_lengths_worked_out_by_hand(content: int, current: int, old: int) -> None:
    assert (padded_bytes(content), padded_bytes_old(content)) == (current, old)


@given(st.binary(max_size=700))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_padding_has_the_stated_length_and_comes_off(content: bytes) -> None:
    for padded, length in (
        (pad(content), padded_bytes(len(content))),
        (pad_old(content), padded_bytes_old(len(content))),
    ):
        assert len(padded) == length
        assert padded.startswith(content + b"\x80")
        assert not padded[len(content) + 1 :].strip(b"\0")
        assert unpad(padded) == content


def test_every_length_of_three_blocks() -> None:
    for length in range(480):
        assert unpad(pad(b"\x80" * length)) == b"\x80" * length
        assert len(pad(bytes(length))) == padded_bytes(length)
        assert len(pad_old(bytes(length))) == padded_bytes_old(length)
        assert 1 <= padded_bytes(length) - length - 1 <= 160


@pytest.mark.parametrize("bare", [b"", b"\0\0\0", b"text", b"text\0\0", b"\x80text"])
def test_bytes_without_padding_stay_as_they_are(bare: bytes) -> None:
    assert unpad(bare) == bare


def test_config_padding_of_one_mark_comes_off() -> None:
    assert unpad(b"config\x80") == b"config"
