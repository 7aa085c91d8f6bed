"""Profile pictures: how they open, and what the daily job does."""

from __future__ import annotations

import pytest

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.core.units import US_PER_DAY, US_PER_H
from sessionsim.protocol.files.address import FileAddress, write_address
from sessionsim.protocol.files.avatar import (
    ProfilePicture,
    Upkeep,
    UpkeepRules,
    open_picture,
    upkeep,
    upkeep_after_refusal,
)
from sessionsim.protocol.files.deterministic import Purpose, seal_file
from sessionsim.protocol.files.legacy_picture import seal_picture

NEW_URL = write_address(FileAddress("a" * 44, deterministic=True))
OLD_URL = write_address(FileAddress("17"))
KEY = bytes(range(32))
RULES = UpkeepRules()
NOW_US = 1_777_000_000_000_000


def test_the_address_says_how_a_picture_opens() -> None:
    sealed = seal_file(b"picture", bytes(32), Purpose.PROFILE_PICTURE)
    old = seal_picture(b"picture", KEY, bytes(12))
    assert open_picture(ProfilePicture(NEW_URL, sealed.key), sealed.blob) == b"picture"
    assert open_picture(ProfilePicture(OLD_URL, KEY), old) == b"picture"
    for picture, blob in (
        (ProfilePicture(OLD_URL, sealed.key), sealed.blob),
        (ProfilePicture(NEW_URL, KEY), old),
        (ProfilePicture(NEW_URL, KEY), sealed.blob),
        (ProfilePicture(OLD_URL, KEY), b""),
    ):
        with pytest.raises(CannotOpen):
            open_picture(picture, blob)


@pytest.mark.parametrize("picture", [ProfilePicture("", KEY), ProfilePicture(NEW_URL, KEY[:31])])
def test_a_profile_that_names_no_picture_is_refused(picture: ProfilePicture) -> None:
    with pytest.raises(RemoteProtocolError):
        open_picture(picture, b"S" + bytes(100))


@pytest.mark.parametrize(
    ("url", "age_us", "step"),
    [
        (NEW_URL, 2 * US_PER_H, Upkeep.NOTHING),
        (NEW_URL, 2 * US_PER_H + 1, Upkeep.EXTEND),
        (NEW_URL, 30 * US_PER_DAY, Upkeep.EXTEND),
        (OLD_URL, 2 * US_PER_H, Upkeep.NOTHING),
        (OLD_URL, 12 * US_PER_DAY, Upkeep.NOTHING),
        (OLD_URL, 12 * US_PER_DAY + 1, Upkeep.UPLOAD),
        (NEW_URL, NOW_US, Upkeep.UPLOAD),  # never noted
    ],
)
def test_the_daily_job(url: str, age_us: int, step: Upkeep) -> None:
    assert upkeep(RULES, ProfilePicture(url, KEY), NOW_US - age_us, NOW_US) == step


def test_a_refused_extension_leads_to_an_upload_when_the_profile_is_old_or_the_file_gone() -> None:
    recent, old = NOW_US - 12 * US_PER_DAY, NOW_US - 12 * US_PER_DAY - 1
    assert upkeep_after_refusal(RULES, recent, NOW_US) == Upkeep.NOTHING
    assert upkeep_after_refusal(RULES, old, NOW_US) == Upkeep.UPLOAD
    assert upkeep_after_refusal(RULES, recent, NOW_US, expired=True) == Upkeep.UPLOAD


def test_a_job_that_runs_daily_extends_in_time() -> None:
    # Two weeks of life, a day between runs: the rules must never let a picture lapse.
    assert RULES.period_us + RULES.extend_after_us < 14 * US_PER_DAY
    assert RULES.upload_after_us < 14 * US_PER_DAY - RULES.period_us
