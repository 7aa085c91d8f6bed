import numpy as np
import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY
from sessionsim.workload.contacts import Circle, circles, contacts_at
from sessionsim.workload.fits import MANNER
from sessionsim.workload.talk import direct_texts, manner_for


@pytest.mark.parametrize("n_accounts", [0, 1])
def test_nobody_else_means_no_contacts(n_accounts: int) -> None:
    assert [circle.contacts for circle in circles(n_accounts, Seeds(1))] == [()] * n_accounts


@pytest.mark.parametrize("n_accounts", [2, 3, 7, 40])
@pytest.mark.parametrize("seed", range(5))
def test_everybody_has_a_contact_and_ties_are_mutual(n_accounts: int, seed: int) -> None:
    found = circles(n_accounts, Seeds(seed))
    for account, circle in enumerate(found):
        assert circle.contacts
        assert account not in circle.contacts
        assert list(circle.contacts) == sorted(set(circle.contacts))
        assert all(account in found[other].contacts for other in circle.contacts)


def test_same_seed_same_graph() -> None:
    assert circles(30, Seeds(4)) == circles(30, Seeds(4))
    assert circles(30, Seeds(4)) != circles(30, Seeds(5))


@pytest.mark.parametrize(
    ("u", "contacts"), [(0.0, 1), (0.25, 2), (0.5, 5), (0.75, 17), (0.99, 117), (1.0, 255)]
)
def test_numbers_of_contacts_pass_through_the_measured_quantiles(u: float, contacts: int) -> None:
    assert contacts_at(u) == contacts


def test_large_graph_keeps_the_measured_contacts() -> None:
    degrees = [len(circle.contacts) for circle in circles(1900, Seeds(2))]
    assert np.percentile(degrees, [25, 50, 75]) == pytest.approx([2, 5, 17], abs=1.5)
    assert np.mean(degrees) == pytest.approx(14.6, rel=0.15)


def test_active_people_know_many() -> None:
    found = circles(1900, Seeds(2))
    degrees = np.log([len(circle.contacts) for circle in found])
    activity = [circle.activity for circle in found]
    assert np.std(activity) == pytest.approx(1.0, abs=0.06)
    assert 0.75 < np.corrcoef(degrees, activity)[0, 1] < 0.95


def test_pick_follows_the_use_of_ties() -> None:
    circle = Circle((4, 6, 9), (1.0, 3.0, 4.0), 0.0)
    assert [circle.pick(u) for u in (0.0, 0.24, 0.26, 0.74, 0.76, 0.999)] == [4, 4, 6, 6, 9, 9]


def test_use_of_a_tie_is_its_step_of_the_sums() -> None:
    circle = Circle((4, 6, 9), (1.0, 3.0, 4.0), 0.0)
    assert [circle.use(contact) for contact in (4, 6, 9)] == [1.0, 2.0, 1.0]


def test_without_a_home_share_countries_do_not_matter() -> None:
    assert circles(40, Seeds(1), ["DE", "US"] * 20) == circles(40, Seeds(1))


def test_a_home_share_keeps_contacts_in_the_country_and_their_number() -> None:
    countries = ["DE", "US"] * 500
    apart, together = (circles(1000, Seeds(2), countries, share) for share in (0.0, 0.8))

    def at_home(found: list[Circle]) -> float:
        ties = [countries[a] == countries[b] for a, circle in enumerate(found) for b in circle.contacts]
        return float(np.mean(ties))

    # What is not at home by choice is there by chance half of the time.
    assert at_home(apart) == pytest.approx(0.5, abs=0.02)
    # Double ties at home fall out, and others take their place.
    assert at_home(together) == pytest.approx(0.8 + 0.2 * 0.5, abs=0.05)
    before, after = (np.array([len(circle.contacts) for circle in found]) for found in (apart, together))
    assert after.mean() == pytest.approx(before.mean(), rel=0.04)
    assert np.percentile(after, [25, 50, 75]) == pytest.approx([2, 5, 17], abs=2)


@pytest.mark.parametrize("seed", range(4))
def test_people_alone_in_their_country_find_contacts_abroad(seed: int) -> None:
    found = circles(6, Seeds(seed), ["DE", "DE", "US", "IN", "FR", "BR"], 1.0)
    for account, circle in enumerate(found):
        assert circle.contacts
        assert all(account in found[other].contacts for other in circle.contacts)


def test_on_the_wished_share_of_ties_one_side_never_writes() -> None:
    plain, found = circles(1900, Seeds(2)), circles(1900, Seeds(2), one_way_share=0.533)
    assert [circle.contacts for circle in found] == [circle.contacts for circle in plain]
    ties = [(a, b) for a, circle in enumerate(found) for b in circle.contacts if a < b]
    sides = [(found[a].use(b) > 0) + (found[b].use(a) > 0) for a, b in ties]
    assert set(sides) == {1, 2}
    assert np.mean([side == 1 for side in sides]) == pytest.approx(0.533, abs=0.02)
    silent = [circle for circle in found if not circle.writes]
    assert 0.02 < len(silent) / 1900 < 0.1
    for account, circle in enumerate(found[:200]):
        for u in (0.0, 0.3, 0.999) if circle.writes else ():
            assert found[account].use(circle.pick(u)) > 0


def test_with_ties_of_one_side_only_nobody_is_answered() -> None:
    found = circles(60, Seeds(1), one_way_share=1.0)
    clocks = [None] * 60
    said = {(t.sender, t.recipient) for t in direct_texts(found, clocks, 40.0, 1.0, US_PER_DAY, Seeds(1))}
    assert len(said) > 30
    assert not any((b, a) in said for a, b in said)


def test_answers_on_mutual_ties_make_up_for_those_that_never_come() -> None:
    assert manner_for(0.0) == MANNER
    assert manner_for(0.533).answer_prob == pytest.approx(0.78)
    assert manner_for(0.533).own_gap.long.median_s == pytest.approx(0.85 * MANNER.own_gap.long.median_s)
    assert 0 < manner_for(1.0).answer_prob <= 1.0
