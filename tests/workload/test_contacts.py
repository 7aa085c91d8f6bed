import numpy as np
import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.workload.contacts import Circle, circles, contacts_at


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
