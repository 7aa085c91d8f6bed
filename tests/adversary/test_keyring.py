from __future__ import annotations

import pytest

from sessionsim.adversary.keyring import NEVER, NO_KEY, ROLE_BIT, Keys
from sessionsim.core.scene import Role
from sessionsim.core.view import ALWAYS_US, HeldKey
from sessionsim.protocol.crypto import real
from sessionsim.protocol.identity import account_from_seed

ALICE, BOB = (account_from_seed(bytes([k]) * 16) for k in (1, 2))


def key(
    account: object, kind: str = "x25519", since_us: int = ALWAYS_US, roles: tuple[Role, ...] = ()
) -> HeldKey:
    pair = account.ed if kind == "ed25519" else account.x  # type: ignore[attr-defined]
    return HeldKey(kind, "somebody", pair.public, pair.secret, since_us, roles)


def test_a_secret_is_found_by_its_x25519_key_however_it_is_held() -> None:
    for kind in ("x25519", "ed25519"):
        keys = Keys([key(ALICE, kind), key(BOB)])
        assert len(keys) == 2
        assert keys.pairs[keys.find(ALICE.x.public)] == ALICE.x
        assert keys.find(bytes(32)) == NO_KEY


def test_both_forms_of_one_secret_are_one_key() -> None:
    keys = Keys([key(ALICE, "ed25519"), key(ALICE), key(ALICE, "ed25519")])
    assert len(keys) == 1
    assert keys.account(ALICE.id) == ALICE


def test_an_account_without_its_ed25519_secret_opens_but_cannot_sign() -> None:
    account = Keys([key(ALICE)]).account(ALICE.id)
    assert account is not None
    assert account.x == ALICE.x
    assert account.ed.secret == b""
    assert Keys([key(ALICE)]).account(BOB.id) is None


def test_held_says_since_when_and_in_which_roles() -> None:
    keys = Keys([key(ALICE), key(BOB)])
    held = keys.held([key(BOB, since_us=70, roles=(Role.GUARD, Role.LAST))])
    assert held.since_us.tolist() == [NEVER, 70]
    assert held.roles.tolist() == [0, ROLE_BIT[Role.GUARD] | ROLE_BIT[Role.LAST]]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_ways_to_a_key_the_earlier_one_counts(order: int) -> None:
    ways = [key(ALICE, since_us=50), key(ALICE, "ed25519", since_us=20)][::order]
    assert Keys(ways).held(ways).since_us.tolist() == [20]


def test_a_converted_secret_is_the_real_conversion() -> None:
    keys = Keys([key(ALICE, "ed25519")])
    assert keys.pairs == [real.x25519_of_ed25519(ALICE.ed)]
