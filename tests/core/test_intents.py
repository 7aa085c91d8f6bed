"""One record of each kind: what it needs, where it stands in the order, what names it."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from sessionsim.core.intents import (
    KINDS,
    Acceptance,
    Call,
    CallSignal,
    ConfigChange,
    Deletion,
    Device,
    DeviceChange,
    File,
    Group,
    GroupAction,
    GroupText,
    InboxText,
    Intent,
    MessageAt,
    NameLookup,
    Post,
    Presence,
    Preview,
    Reaction,
    Reader,
    Receipt,
    Refusal,
    Strangers,
    Typing,
    Wish,
    kinds_of,
    order_of,
)

TEXT = Intent(7, 1, 2, "hello", 3)
ONE_OF_EACH: list[Wish] = [
    Device(7, 1, 1, "desktop"),
    Strangers(7, 1, 2),
    Group(7, 1, 4, (1, 2), "us"),
    Reader(7, 1, 5),
    Presence(7, 1, 0, "online", True, 0),
    DeviceChange(7, 1, 1, "link", 0, 0),
    GroupAction(7, 1, 4, 0, "invite", (3,)),
    NameLookup(7, 1, 2),
    Acceptance(7, 2, 1, TEXT.address),
    Refusal(7, 2, 1, TEXT.address, True),
    Typing(7, 1, 2, 3, 0, "start"),
    TEXT,
    GroupText(7, 1, 4, "hello", 0),
    Post(7, 1, 5, "hello", 0),
    InboxText(7, 1, 2, 5, "hello", 0),
    Call(7, 1, 2, 0, "missed", 60, 0, (CallSignal(0, True, "offer", 2000),)),
    Receipt(7, 1, 2, (0, 1)),
    Reaction(7, 1, TEXT.address, "😂"),
    Deletion(7, 1, TEXT.address),
    ConfigChange(7, 1, "profile", "avatar", 0, File("avatar", 9)),
]


def test_every_kind_has_its_record_and_its_place_in_the_order() -> None:
    kinds = [wish.kind for wish in ONE_OF_EACH]
    assert kinds == [kind for kind in KINDS if kind in kinds]
    # Parts of messages, and of presence.
    assert set(KINDS) - set(kinds) == {"attachment", "link-preview", "online"}
    assert sorted(reversed(ONE_OF_EACH), key=order_of) == ONE_OF_EACH


def test_time_comes_before_kind() -> None:
    late = Device(8, 1, 1, "desktop")
    assert sorted([late, TEXT], key=order_of) == [TEXT, late]


@pytest.mark.parametrize("wish", ONE_OF_EACH, ids=lambda wish: wish.kind)
def test_a_record_is_frozen_hashable_and_survives_a_process_border(wish: Wish) -> None:
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
        wish.t_us = 0  # type: ignore[misc]
    assert not hasattr(wish, "__dict__")
    assert pickle.loads(pickle.dumps(wish)) == wish
    assert {wish: 1}[wish] == 1


def test_records_of_different_kinds_are_never_equal() -> None:
    assert GroupText(1, 2, 3, "x", 0) != Post(1, 2, 3, "x", 0)
    assert len({wish.address for wish in ONE_OF_EACH}) == len(ONE_OF_EACH)


def test_a_message_needs_what_hangs_on_it() -> None:
    picture = File("photo", 100)
    assert TEXT.needs == ("text",)
    assert TEXT._replace(files=(picture,)).needs == ("text", "attachment")
    assert GroupText(1, 2, 3, "x", 0, preview=Preview(30, 40, picture)).needs == (
        "group-text",
        "link-preview",
    )
    assert kinds_of([TEXT, Post(1, 2, 3, "", 0, (picture,))]) == {"text", "post", "attachment"}
    assert kinds_of([]) == set()


def test_a_plain_intent_is_a_direct_text_as_ever() -> None:
    intent = Intent(5, 1, 0, "hi")
    assert intent[:4] == (5, 1, 0, "hi")
    assert intent.address == MessageAt("direct", 0, 1, 0)
    assert (intent.number, intent.files, intent.preview, intent.device) == (0, (), None, 0)


def test_presence_is_told_to_a_client_as_a_command() -> None:
    assert Presence(7, 1, 0, "foreground", False, 3).command == ("foreground", False)


def test_a_reaction_and_its_taking_back_have_two_addresses() -> None:
    there, gone = (Reaction(7, 1, TEXT.address, "😂", removed) for removed in (False, True))
    assert there.address != gone.address
