import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.workload.shares import choose, read_shares

WORDS = ("photo", "video", "voice")


def test_shares_add_up_in_the_order_given() -> None:
    assert read_shares("mix", "video 1, photo 3.0", WORDS) == (("video", 0.25), ("photo", 0.75))


@pytest.mark.parametrize(
    "text", ["", "photo", "photo -1", "photo 1, photo 2", "film 1", "photo 0", "photo 1;video 2", "photo 1e9"]
)
def test_other_mixes_are_refused_with_their_key(text: str) -> None:
    with pytest.raises(InvalidInput, match="mix: found"):
        read_shares("mix", text, WORDS)


def test_choice_by_hand() -> None:
    shares = (("video", 0.25), ("photo", 0.75), ("voice", 0.0))
    assert [choose(shares, u) for u in (0.0, 0.249, 0.25, 0.999999)] == ["video", "video", "photo", "photo"]
    assert choose((("video", 0.5), ("photo", 0.4999999), ("voice", 0.0)), 0.99999999) == "photo"
