from __future__ import annotations

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import File, Intent, Receipt, Typing, Wish
from sessionsim.core.seeds import Seeds
from sessionsim.network.wishes import CARRIED_OUT, check_kinds, direct_texts
from sessionsim.network.world import WorldSpec, build

TEXT = Intent(5, 0, 1, "hello")


def test_texts_pass_in_their_order() -> None:
    wishes = (TEXT, Intent(6, 1, 0, "hi"))
    assert direct_texts(wishes, 2) == wishes
    assert direct_texts((), 0) == ()


@pytest.mark.parametrize(
    ("wish", "kind"),
    [
        (Typing(4, 0, 1, 0, 0, "start"), "typing"),
        (Receipt(9, 1, 0, (0,)), "receipt"),
        (TEXT._replace(files=(File("photo", 10),)), "attachment"),
    ],
)
def test_what_clients_cannot_do_is_refused_by_name_and_not_dropped(wish: Wish, kind: str) -> None:
    with pytest.raises(InvalidInput, match=f"workload: found '{kind}'; allowed: kinds of wishes.*: text"):
        direct_texts((TEXT, wish), 2)


def test_all_unknown_kinds_are_named_at_once() -> None:
    with pytest.raises(InvalidInput, match="'typing, call'"):
        check_kinds({"call", "text", "typing"})
    check_kinds(CARRIED_OUT)


@pytest.mark.parametrize("wish", [Intent(0, 0, 2, "x"), Intent(0, -1, 1, "x")])
def test_accounts_that_do_not_exist_are_refused(wish: Intent) -> None:
    with pytest.raises(InvalidInput, match=r"accounts 0\.\.1"):
        direct_texts((wish,), 2)


def test_a_world_refuses_before_it_builds_anything() -> None:
    spec = WorldSpec(
        date="not a date", platforms=("ios", "desktop"), intents=(TEXT, Typing(4, 0, 1, 0, 0, "start")),
        horizon_us=10, measured=(0, 10), seeds=Seeds(1), epoch_ms=0,
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="typing"):
        build(spec)
