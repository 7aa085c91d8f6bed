import numpy as np
import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY
from sessionsim.workload.laws import LogNormal
from sessionsim.workload.profiles import ProfileRules, profile_changes

YEAR_US = 365 * US_PER_DAY
CHANGES = [list(profile_changes(a, ProfileRules(), None, 3 * YEAR_US, Seeds(1))) for a in range(200)]


@pytest.mark.parametrize(("what", "days"), [("avatar", 60), ("name", 180), ("contact", 15)])
def test_changes_come_at_their_rate(what: str, days: float) -> None:
    counts = np.array([sum(change.what == what for change in own) for own in CHANGES])
    expected = 3 * 365 / days
    # Poisson: three standard errors of the mean; the variance equals the mean within a quarter.
    assert counts.mean() == pytest.approx(expected, abs=3 * (expected / 200) ** 0.5)
    assert counts.var() == pytest.approx(expected, rel=0.35)


def test_pictures_have_their_size_and_nothing_else_has_a_file() -> None:
    sizes = np.sort([c.file.size_bytes for own in CHANGES for c in own if c.file])
    law = LogNormal.of_median(60_000, 0.7)
    expected = np.array([law.below(size) for size in sizes])
    assert np.abs(expected - (np.arange(len(sizes)) + 0.5) / len(sizes)).max() < 1.63 / len(sizes) ** 0.5
    assert all((c.what == "avatar") == (c.file is not None) for own in CHANGES for c in own)


def test_each_change_is_counted_in_time_order_and_in_its_config() -> None:
    for account, own in enumerate(CHANGES[:20]):
        assert [c.t_us for c in own] == sorted(c.t_us for c in own)
        for what, config in (("avatar", "profile"), ("name", "profile"), ("contact", "contacts")):
            some = [c for c in own if c.what == what]
            assert [c.number for c in some] == list(range(len(some)))
            assert {(c.sender, c.config) for c in some} <= {(account, config)}


def test_a_shorter_run_is_the_beginning() -> None:
    short = list(profile_changes(7, ProfileRules(), None, YEAR_US, Seeds(1)))
    assert short == [change for change in CHANGES[7] if change.t_us < YEAR_US]
