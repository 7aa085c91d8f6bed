"""Ways around authentication, over nodes: every change of a signed request, replays, and borrowed tokens."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.protocol.authorisation import DELETE, READ, WRITE
from sessionsim.protocol.crypto import real, suite_named
from sessionsim.protocol.groups import group_from_seed
from sessionsim.protocol.groups.subaccount import sign_request, signing_value, subaccount_of
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.wire import rpc_signed

Make = Callable[..., Any]
DAY_MS = 86_400_000
EXAMPLES = settings(deadline=None, max_examples=120, derandomize=True)
CALLS = (
    "store", "retrieve", "delete", "delete_all", "delete_before", "expire", "expire_all", "get_expiries",
    "revoke_subaccount", "unrevoke_subaccount",
)  # fmt: skip
OWNERS_ONLY = ("revoke_subaccount", "unrevoke_subaccount")
# What a signature does not cover.
FREE = {"data", "ttl", "last_hash", "max_size", "required", "sig_timestamp"}


def calls(by: Any, hash_: str) -> dict[str, Any]:
    now = by.world.now_ms
    token = bytes(36)
    return {
        "store": by.store(b"two", 11),
        "retrieve": by.retrieve(11),
        "delete": by.delete([hash_]),
        "delete_all": by.delete_all(11),
        "delete_before": by.delete_before(now, 11),
        "expire": by.expire([hash_], [now + DAY_MS], "shorten"),
        "expire_all": by.expire_all(now + DAY_MS, 11),
        "get_expiries": by.get_expiries([hash_]),
        "revoke_subaccount": by.revoke([token]),
        "unrevoke_subaccount": by.revoke([token], undo=True),
    }


class Stage:
    """A network with a person and a group that have a message each, and their subaccounts."""

    def __init__(self, make_world: Make, caller: Make, suite: str) -> None:
        self.world = make_world(suite=suite, rate_bucket=1_000_000)
        self.owners = [caller(self.world, make(0)) for make in (self.world.person, self.world.group)]
        self.hashes = [owner.put(b"one", namespace=11)[0] for owner in self.owners]

    def snapshot(self) -> list[Any]:
        return [tuple(machine.store.everything()) for machine in self.world.machines[:7]]

    def refuses(self, method: str, params: dict[str, Any]) -> bool:
        """Send a request to one node, and say whether it was refused and nothing is changed."""
        before, body = self.snapshot(), orjson.dumps({"method": method, "params": params})
        effects = self.world.machines[0].receive(1000, 0, 1, "storage_rpc", body, self.world.now_us)
        return len(effects) == 1 and effects[0][4] in (400, 401, 406, 421) and self.snapshot() == before


@pytest.fixture(scope="module")
def stage(make_world: Make, caller: Make) -> Stage:
    return Stage(make_world, caller, "sodium")


def altered(value: Any, at: int) -> Any:
    """Give a value of the same kind that differs."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + (1, -1, 10, 1000)[at % 4]
    if isinstance(value, list):
        return [altered(value[0], at), *value[1:]] if at % 2 else value + value[:1]
    at %= len(value.rstrip("=")) or 1
    letters = (
        "0123456789abcdef" if all(letter in "0123456789abcdefABCDEF" for letter in value) else "ABCDwxyz"
    )
    other = next(letter for letter in letters if letter.lower() != value[at].lower())
    return value[:at] + other + value[at + 1 :]


@EXAMPLES
@given(st.sampled_from(CALLS), st.integers(0, 1), st.booleans(), st.data())
def test_every_change_of_a_signed_request_is_refused(
    stage: Stage, method: str, who: int, as_member: bool, data: st.DataObject
) -> None:
    owner = stage.owners[who]
    member = as_member and method not in OWNERS_ONLY
    by = owner.subaccount(READ | WRITE | DELETE) if member else owner
    params = orjson.loads(calls(by, stage.hashes[who])[method][1])
    name = data.draw(st.sampled_from(sorted(set(params) - FREE - {"timestamp"} | {"signature"})))
    if method == "store" and name == "timestamp":
        return
    value = params[name]
    at = data.draw(st.integers(0, 200))
    if name == "pubkey":  # under another prefix it is another account of whoever has the key
        at = 2 + at % 64
    changed = params | {name: altered(value, at)}
    if name in ("signature", "subaccount_sig", "subaccount") and _same_bytes(value, changed[name]):
        return
    if method == "store" and changed["namespace"] % 10 == 0:
        return  # anybody may store there
    assert stage.refuses(method, changed), (name, changed)


def _same_bytes(one: str, other: str) -> bool:
    return base64.b64decode(one) == base64.b64decode(other)


@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("method", CALLS)
def test_what_must_be_shown_cannot_be_left_out_or_borrowed(stage: Stage, method: str, who: int) -> None:
    owner, other = stage.owners[who], stage.owners[1 - who]
    call = calls(owner, stage.hashes[who])[method]
    params = orjson.loads(call[1])
    foreign = orjson.loads(calls(other, stage.hashes[who])[method][1])
    for name in ("signature", "pubkey"):
        assert stage.refuses(method, {key: value for key, value in params.items() if key != name})
    assert stage.refuses(method, params | {"signature": foreign["signature"]})
    assert stage.refuses(method, foreign | {"pubkey": params["pubkey"]})
    # The attacker's own key beside the victim's id, with the attacker's signature.
    thief = real.ed25519_keypair(bytes(range(32)))
    text = stage_text(owner, stage.hashes[who], method)
    stolen = base64.b64encode(owner.world.suite.sign(thief, text)).decode()
    assert stage.refuses(method, params | {"signature": stolen})
    assert stage.refuses(method, params | {"signature": stolen, "pubkey_ed25519": thief.public.hex()})
    # The id under the other prefix: another account, whose key this is not.
    prefix = "03" if params["pubkey"].startswith("05") else "05"
    swapped = params | {"pubkey": prefix + params["pubkey"][2:]}
    if prefix == "03":  # a group's key under 05 is an account of whoever has the key
        assert stage.refuses(method, swapped)


def stage_text(by: Any, hash_: str, method: str) -> bytes:
    now = by.world.now_ms
    texts = {
        "delete": rpc_signed.delete_text([hash_]),
        "expire": rpc_signed.expire_text("shorten", [now + DAY_MS], [hash_]),
        "get_expiries": rpc_signed.expiries_text(now, [hash_]),
        "expire_all": rpc_signed.namespaced_text(method, 11, now + DAY_MS),
    }
    if method in OWNERS_ONLY:
        return rpc_signed.tokens_text(method, now, [bytes(36)])
    return texts.get(method) or rpc_signed.namespaced_text(method, 11, now)


@pytest.mark.parametrize("signed_for", CALLS)
def test_a_signature_for_one_method_is_none_for_another(stage: Stage, signed_for: str) -> None:
    owner = stage.owners[1]
    made = calls(owner, stage.hashes[1])
    signature = orjson.loads(made[signed_for][1])["signature"]
    for method in CALLS:
        if method != signed_for:
            assert stage.refuses(method, orjson.loads(made[method][1]) | {"signature": signature})


def test_tokens_of_others_and_made_up_tokens(stage: Stage) -> None:
    person, group = stage.owners
    for owner, other in ((person, group), (group, person)):
        mine, theirs = owner.subaccount(READ | WRITE | DELETE), other.subaccount(READ | WRITE | DELETE)
        hash_ = stage.hashes[stage.owners.index(owner)]
        for method in CALLS:
            if method in OWNERS_ONLY:
                continue
            params = orjson.loads(calls(mine, hash_)[method][1])
            foreign = orjson.loads(calls(theirs, hash_)[method][1])
            # Another account's token, and a token nobody signed, or that the member signed himself.
            assert stage.refuses(method, params | {k: foreign[k] for k in ("subaccount", "subaccount_sig")})
            assert stage.refuses(method, params | {"subaccount_sig": foreign["subaccount_sig"]})
            own = base64.b64encode(mine.sign(mine.asker.subaccount.token)).decode()
            assert stage.refuses(method, params | {"subaccount_sig": own})
            # More rights than were granted.
            reader = owner.subaccount(READ)
            weak = orjson.loads(calls(reader, hash_)[method][1])
            token = bytearray(reader.asker.subaccount.token)
            token[1] |= WRITE | DELETE | 8
            assert stage.refuses(method, weak | {"subaccount": base64.b64encode(token).decode()})
            # The owner's signature does not make a token of itself, and a token is no signature.
            owned = orjson.loads(calls(owner, hash_)[method][1])
            assert stage.refuses(method, params | {"signature": owned["signature"]})
            assert stage.refuses(method, owned | {"signature": params["signature"]})


@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_members_of_real_groups_sign_with_their_blinded_scalar(
    make_world: Make, caller: Make, suite: str
) -> None:
    world, crypto = make_world(suite=suite), suite_named(suite)
    ids = tuple(world.nodes.members)
    groups = (group_from_seed(bytes([n]) * 32) for n in range(200))
    group = next(g for g in groups if nearest_swarm(swarm_position(g.id[1:]), ids) == 0)
    member, stranger = account_from_seed(bytes(16)), account_from_seed(bytes([1]) * 16)
    access = subaccount_of(member, signing_value(crypto, group, member.id))
    foreign = subaccount_of(stranger, signing_value(crypto, group, member.id))

    def retrieve(shown: Any, signer: Any, text_namespace: int = 11) -> int:
        text = rpc_signed.namespaced_text("retrieve", text_namespace, world.now_ms)
        params = {
            "pubkey": group.id.hex(), "namespace": 11, "timestamp": world.now_ms,
            "signature": base64.b64encode(sign_request(crypto, signer, text)).decode(),
            "subaccount": base64.b64encode(shown.token).decode(),
            "subaccount_sig": base64.b64encode(shown.token_signature).decode(),
        }  # fmt: skip
        return int(world.direct(0, orjson.dumps({"method": "retrieve", "params": params}))[0])

    assert retrieve(access, access) == 200
    assert retrieve(access, access, 12) == 401
    assert retrieve(access, foreign) == 401
    assert retrieve(foreign, foreign) == 401
    by = caller(world, type("Owner", (), {"ed": group.ed, "id": group.id, "ed_hex": None})())
    by.parts(0, by.revoke([access.token]))
    assert retrieve(access, access) == 401
