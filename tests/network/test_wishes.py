from __future__ import annotations

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import KINDS, Device, Group, Intent, Receipt, Typing, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.network.devices import Seat
from sessionsim.network.wishes import CARRIED_OUT, check_kinds, check_wishes
from sessionsim.network.world import WorldSpec, build

TEXT = Intent(5, 0, 1, "hello")


SEATS = (Seat(0, 0, "ios"), Seat(1, 0, "desktop"), Seat(1, 1, "ios"))


def test_texts_and_devices_pass() -> None:
    wishes = (Device(0, 1, 1, "ios"), TEXT, Intent(6, 1, 0, "hi", device=1))
    check_wishes(wishes, SEATS)
    check_wishes((), SEATS)


@pytest.fixture
def only_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that can do nothing but write."""
    monkeypatch.setattr("sessionsim.network.wishes.CARRIED_OUT", frozenset({"text"}))


@pytest.mark.usefixtures("only_texts")
@pytest.mark.parametrize(
    ("wish", "kind"),
    [
        (Typing(4, 0, 1, 0, 0, "start"), "typing"),
        (Receipt(9, 1, 0, (0,)), "receipt"),
    ],
)
def test_what_clients_cannot_do_is_refused_by_name_and_not_dropped(wish: Wish, kind: str) -> None:
    with pytest.raises(InvalidInput, match=f"workload: found '{kind}'; allowed: kinds of wishes.*text"):
        check_wishes((TEXT, wish), SEATS)


@pytest.mark.usefixtures("only_texts")
def test_all_unknown_kinds_are_named_at_once() -> None:
    with pytest.raises(InvalidInput, match="'typing, call'"):
        check_kinds({"call", "text", "typing"})
    check_kinds({"text"})


def test_what_is_carried_out_are_kinds_of_wishes() -> None:
    check_kinds(CARRIED_OUT)
    assert set(KINDS) >= CARRIED_OUT


@pytest.mark.parametrize("wish", [Intent(0, 0, 2, "x"), Intent(0, -1, 1, "x")])
def test_accounts_that_do_not_exist_are_refused(wish: Intent) -> None:
    with pytest.raises(InvalidInput, match=r"accounts 0\.\.1"):
        check_wishes((wish,), SEATS)


@pytest.mark.parametrize("wish", [Intent(0, 0, 1, "x", device=1), Intent(0, 1, 0, "x", device=2)])
def test_devices_that_an_account_does_not_have_are_refused(wish: Intent) -> None:
    with pytest.raises(InvalidInput, match=f"a device that account {wish.sender} has"):
        check_wishes((wish,), SEATS)


def test_what_stood_before_is_no_act_of_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessionsim.network.wishes.CARRIED_OUT", frozenset({"group"}))
    check_wishes((Group(0, 0, 3, (0, 1), "us"),), SEATS)


@pytest.mark.usefixtures("only_texts")
def test_a_world_refuses_before_it_builds_anything() -> None:
    spec = WorldSpec(
        date="not a date", platforms=("ios", "desktop"), intents=(TEXT, Typing(4, 0, 1, 0, 0, "start")),
        horizon_us=10, measured=(0, 10), seeds=Seeds(1), epoch_ms=0,
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="typing"):
        build(spec)
