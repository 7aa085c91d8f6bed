"""What a run sets up for its groups and configs before time 0, without any traffic."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.intents import ConfigChange, Group, GroupAction, GroupText, Intent
from sessionsim.core.seeds import Seeds
from sessionsim.network.approvals import approvals
from sessionsim.network.configs import ConfigSetup
from sessionsim.network.groups import GroupSetup
from sessionsim.protocol.client.configs.held import Held
from sessionsim.protocol.contents import Profile
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.groups import group_from_seed
from sessionsim.protocol.groups.subaccount import is_granted
from sessionsim.protocol.identity import account_from_seed

EPOCH_MS = 1_777_377_600_000
FAST = suite_named("fast")
ACCOUNTS = [account_from_seed(bytes([k]) * 16) for k in range(5)]
NAMES = [f"n{k}" for k in range(5)]
PROFILES = [Profile(name, f"http://files/{name}", bytes([k]) * 32, 1) for k, name in enumerate(NAMES)]
STOOD = Group(0, 2, 7, (0, 2, 3), "old")
WISHES = (
    STOOD, GroupText(5, 3, 7, "hi", 0), GroupAction(9, 1, 8, 0, "create", (4,), "new"), Intent(4, 0, 4, "x"),
)  # fmt: skip


def setup(wishes: Any = WISHES) -> GroupSetup:
    return GroupSetup(wishes, ACCOUNTS, NAMES, FAST, Seeds(3), EPOCH_MS)


def test_every_group_has_keys_of_its_own_from_the_seed() -> None:
    groups = setup()
    assert set(groups.keys) == {7, 8}
    assert groups.keys[7] == group_from_seed(Seeds(3).key("group", 7))
    assert set(groups.foundings) == {7}


def test_the_founder_holds_the_seed_and_the_others_a_token_that_the_group_signed() -> None:
    groups = setup()
    (admin,) = groups.founded_of(2)
    assert admin.access == groups.keys[7]
    assert admin.auth == b""
    for member in (0, 3):
        (held,) = groups.founded_of(member)
        assert is_granted(FAST, groups.keys[7].id, held.access)
        assert len(held.auth) == 100
    assert groups.founded_of(1) == groups.founded_of(4) == ()


def test_commands_say_all_that_a_client_needs() -> None:
    groups = setup()
    assert groups.command(3, WISHES[1]) == ("group-text", 3, groups.keys[7].id, "hi", ())
    assert groups.command(4, WISHES[2]) == (
        "group-action", 4, groups.keys[8].id, "create", (ACCOUNTS[4].id,), "new", True,
        groups.keys[8].ed.secret,
    )  # fmt: skip
    invite = GroupAction(9, 2, 7, 1, "invite", (1, 4), history=False)
    assert groups.command(5, invite)[3:] == ("invite", (ACCOUNTS[1].id, ACCOUNTS[4].id), "", False, b"")


def test_what_is_set_up_depends_on_nothing_but_the_seed_and_the_wishes() -> None:
    assert setup().foundings == setup().foundings
    alone = setup((STOOD,))
    assert alone.foundings == setup().foundings


def test_contacts_are_those_with_whom_an_account_has_to_do() -> None:
    configs = ConfigSetup(WISHES, approvals(WISHES, 5), ACCOUNTS, PROFILES, setup(), FAST, EPOCH_MS)
    held = []
    for number, account in enumerate(ACCOUNTS):
        one = Held(FAST, account)
        one.adopt(configs.stored_of(number), EPOCH_MS)
        held.append(one)
    assert [[contact.name for contact in one.contacts] for one in held] == [["n4"], [], [], [], ["n0"]]
    assert [one.profile.name for one in held] == NAMES
    assert [[group.name for group in one.groups.groups()] for one in held] == [
        ["old"], [], ["old"], ["old"], []
    ]  # fmt: skip
    (mine,) = held[2].groups.groups()
    assert mine.seed == setup().keys[7].ed.secret
    assert [len(list(one.conversations)) for one in held] == [2, 0, 1, 1, 1]


@pytest.mark.parametrize("groups", [True, False])
def test_all_configs_are_made_without_any_request(groups: bool) -> None:
    wishes = (*WISHES, ConfigChange(3, 1, "profile", "name", 0))
    made = ConfigSetup(
        wishes, approvals(wishes, 5), ACCOUNTS, PROFILES, setup(wishes) if groups else None, FAST, EPOCH_MS
    )
    namespaces = [[one.namespace for one in made.stored_of(k)] for k in range(5)]
    assert namespaces[1] == [2]
    assert namespaces[0] == ([2, 3, 4, 5] if groups else [2, 3, 4])
