from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import GroupText, Intent, Post, Spoken
from sessionsim.core.seeds import Seeds
from sessionsim.workload.laws import LogNormal, Pareto
from sessionsim.workload.media import Media, MediaRules

RULES = MediaRules()
MEDIA = Media(RULES, Seeds(1))
TEXTS = [Intent(k, k % 50, 50 + k % 7, "hello there", k // 50) for k in range(40_000)]
DRESSED = [MEDIA.dress(text) for text in TEXTS]


def test_shares_and_mix_are_those_of_the_settings() -> None:
    whats = Counter(text.files[0].what for text in DRESSED if text.files)
    assert 1 - sum(whats.values()) / 40_000 == pytest.approx(0.88, abs=0.005)
    assert [
        whats[what] / sum(whats.values()) for what in ("photo", "video", "voice", "file")
    ] == pytest.approx([48 / 70, 15 / 70, 5 / 70, 2 / 70], abs=0.02)


def test_voice_messages_have_no_caption_and_a_fifth_of_the_others_do() -> None:
    captions = [bool(text.body) for text in DRESSED if text.files and text.files[0].what != "voice"]
    assert np.mean(captions) == pytest.approx(0.2, abs=0.03)
    assert not any(text.body for text in DRESSED if text.files and text.files[0].what == "voice")


@pytest.mark.parametrize(
    ("what", "law"),
    [
        ("photo", LogNormal.of_mean(94_000, 0.9)),
        ("video", LogNormal.of_mean(35e6, 1.2)),
        ("file", Pareto(5000, 0.93)),
    ],
)
def test_sizes_follow_their_law_up_to_the_limit(what: str, law: LogNormal | Pareto) -> None:
    sizes = np.array([MEDIA.size_bytes(what, (k + 0.5) / 5000) for k in range(5000)])
    within = law.below(1e7)
    expected = np.array([law.below(size) / within for size in sizes])
    assert np.abs(expected - (np.arange(5000) + 0.5) / 5000).max() < 0.002
    assert sizes.max() <= 10_000_000


def test_photos_have_the_published_mean() -> None:
    sizes = [MEDIA.size_bytes("photo", (k + 0.5) / 20_000) for k in range(20_000)]
    assert np.mean(sizes) == pytest.approx(94_000, rel=0.01)


def test_voice_is_its_length_times_its_rate() -> None:
    assert MEDIA.size_bytes("voice", 0.5) == pytest.approx(10 * 4000, abs=1)


def test_links_lengthen_texts_and_get_a_preview_where_it_is_switched_on() -> None:
    linked = [text for text in DRESSED if "https://" in text.body]
    plain = sum(not text.files for text in DRESSED)
    assert len(linked) / plain == pytest.approx(0.03, abs=0.003)
    previewing = {text.sender for text in linked if text.preview}
    assert all((text.sender in previewing) == (text.preview is not None) for text in linked)
    assert len(previewing) / 50 == pytest.approx(0.3, abs=0.2)
    for text in linked:
        assert text.body.startswith("hello there https://")
        if text.preview:
            assert len(text.body) == len("hello there ") + text.preview.url_bytes
            assert text.preview.image is not None


def test_what_a_message_carries_hangs_on_its_address_alone() -> None:
    again = Media(RULES, Seeds(1))
    assert [again.dress(text) for text in reversed(TEXTS[:500])] == DRESSED[:500][::-1]
    moved = [text._replace(t_us=text.t_us + 5) for text in TEXTS[:500]]
    assert [again.dress(text)[3:] for text in moved] == [text[3:] for text in DRESSED[:500]]


def test_all_kinds_of_messages_carry_files() -> None:
    always = Media(dataclasses.replace(RULES, text_share=0.0, caption_share=0.0), Seeds(1))
    some: list[Spoken] = [Intent(0, 0, 1, "x"), GroupText(0, 0, 1, "x", 0), Post(0, 0, 1, "x", 0)]
    for spoken in some:
        dressed = always.dress(spoken)
        assert type(dressed) is type(spoken)
        assert "attachment" in dressed.needs
        assert dressed.body == ""
        assert dressed.address == spoken.address


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    limit=st.integers(10_000, 10**9), mean=st.integers(1000, 10**9), sigma=st.floats(0, 3),
    alpha=st.floats(0.1, 10), u=st.floats(0, 1, exclude_max=True),
)  # fmt: skip
def test_no_settings_give_an_empty_file_or_one_beyond_the_limit(
    limit: int, mean: int, sigma: float, alpha: float, u: float
) -> None:
    rules = MediaRules(
        file_limit_bytes=limit, photo_mean_bytes=mean, photo_sigma=sigma, video_mean_bytes=mean,
        video_sigma=sigma, file_alpha=alpha, voice_sigma=sigma,
    )  # fmt: skip
    media = Media(rules, Seeds(1))
    for what in ("photo", "video", "voice", "file"):
        assert 1 <= media.size_bytes(what, u) <= limit


def test_a_mix_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="media_mix"):
        MediaRules(media_mix="photo")
