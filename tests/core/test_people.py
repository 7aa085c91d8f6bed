import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.people import People


def test_people_alike_differ_in_nothing_but_their_number() -> None:
    people = People.alike(3, "ios", "FR")
    assert len(people) == 3
    assert people.platforms == ("ios",) * 3
    assert people.countries == ("FR",) * 3


def test_everybody_lives_somewhere() -> None:
    with pytest.raises(InvalidInput, match="2 countries"):
        People(("ios", "ios"), ("FR",))
