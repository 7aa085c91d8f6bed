from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.workload.lengths import MAX_TEXT_BYTES, histogram, message, parse, text, text_bytes


def test_histogram_is_the_published_one() -> None:
    lengths, counts = histogram()
    assert sum(counts) == 55_835
    assert np.average(lengths, weights=counts) == pytest.approx(52.1, abs=0.05)
    assert list(lengths) == sorted(set(lengths))


def test_sampled_lengths_have_the_published_quantiles() -> None:
    drawn = [text_bytes((k + 0.5) / 100_000) for k in range(100_000)]
    # metrics 4.2: 5, 25, 50, 75, 90, 95, 99 %.
    assert np.percentile(drawn, [5, 25, 50, 75, 90, 95, 99]).tolist() == [5, 18, 36, 67, 116, 151, 255]


@settings(deadline=None, max_examples=200, derandomize=True)
@given(length=st.integers(1, MAX_TEXT_BYTES), u=st.floats(0, 1, exclude_max=True))
def test_text_has_exactly_its_length_and_no_blank_ends(length: int, u: float) -> None:
    body = text(length, u)
    assert len(body.encode()) == length
    assert body == body.strip()
    assert body == text(length, u)


@pytest.mark.parametrize("length", [0, -1, MAX_TEXT_BYTES + 1])
def test_impossible_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidInput, match="bytes"):
        text(length, 0.5)


def test_extreme_draws_are_in_the_histogram() -> None:
    lengths, _ = histogram()
    assert text_bytes(0.0) == lengths[0] == 1
    assert text_bytes(1 - 1e-12) == lengths[-1] <= MAX_TEXT_BYTES
    assert len(message(1 - 1e-12, 1 - 1e-12)) == lengths[-1]


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"utf8_bytes,count\n1,x\n", b"utf8_bytes,count\n1,2\n3,4\n", b"a,b\n1,55835\n"]
)
def test_a_damaged_histogram_is_told(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"sms_length_histogram\.csv: found"):
        parse(raw)
    assert parse(b"utf8_bytes,count\n1,55830\n7,5\n") == ((1, 7), (55_830, 5))


def test_a_missing_histogram_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sessionsim.workload.lengths.files", lambda _: tmp_path)
    with pytest.raises(InvalidInput, match="Install the package again"):
        histogram.__wrapped__()
