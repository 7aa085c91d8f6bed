"""The table is whole: whatever in the protocol room reads foreign bytes is entered by one of its decoders."""

from __future__ import annotations

import sys

import pytest

from tests.fuzz.decoder import Decoder, passes
from tests.fuzz.decoders import DECODERS
from tests.fuzz.entered import entered_by, functions, readers
from tests.fuzz.plan import FULL, LEAST_IN_FULL, PLAN, SHARE_OF_QUICK

# Readers by name or docstring that no foreign bytes reach.
NOT_FUZZED = {
    "client.v2.assembly.add_v2": "is given a client by whoever builds it",
    "client.repeats.Repeats.add": "is given requests of our own",
    "client.machine.Client.add": "is given a part by whoever builds the client",
    "client.machine.Client.idle": "tells of the client itself; reads nothing",
    "communities.server.CommunityServer.add_admin": "is told by the operator",
    "communities.server.CommunityServer.add_room": "is told by the operator",
    "configs.config.Config.take_old_hashes": "gives hashes that the swarm named; reads nothing",
    "configs.fields.cut": "shortens a text of this device's owner before it is written",
    "crypto.argon2.argon2id": "hashes a link request that was opened, or a name; 30 ms and more each",
    "crypto.mlkem.public_of": "is given what was expanded from a seed, of whatever origin",
    "files.client.facts_request": "writes a request for an id that `uploaded` or `read_address` has checked",
    "files.deterministic.padding_bytes": "counts bytes for an own file",
    "files.deterministic.sealed_bytes": "counts bytes for an own file",
    "files.legacy.sealed_bytes": "counts bytes for an own file",
    "files.releases.newest": "tells what the server itself knows of releases",
    "groups.encryption.body_of": "compresses what the own user wrote",
    "push.renewals.Renewals.add": "is given accounts that `read_subscription` has checked",
    "push.renewals.Renewals.take": "is given times by the push server itself",
    "snode._machine.ServiceNode.read_with": "is given by whoever runs the node what it reads with",
    "wire.unsealed.UnsealedAnswer.opened": "is given what a node of the run answered, no bytes",
    "wire.rpc.open_retrieve_call": "writes a request with what `retrieve_call` writes",
    "storage.MessageStore.has_after": "is asked by the run itself for cursors that a client keeps",
    "swarm_membership.seed_of_block": "is given the hash of a block by the chain",
}
BY_NAME = {decoder.name: decoder for decoder in DECODERS}


def by_name(decoder: Decoder) -> str:
    return decoder.name


@pytest.fixture(scope="module")
def entered() -> dict[str, set[str]]:
    """Give what each decoder enters when it is given its seeds, and nothing."""
    for name, module in list(sys.modules.items()):
        if name.startswith("sessionsim.protocol"):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()  # a remembered answer would enter nothing
    found: dict[str, set[str]] = {}
    for decoder in DECODERS:
        fresh = decoder.fresh()
        found[decoder.name] = entered_by(
            lambda fresh=fresh: [passes(fresh, raw) for raw in (*fresh.seeds, b"")]
        )  # type: ignore[misc]
    return found


def test_every_reader_is_entered_with_foreign_bytes_or_excepted_with_a_reason(
    entered: dict[str, set[str]],
) -> None:
    assert readers() - set().union(*entered.values()) - set(NOT_FUZZED) == set()
    assert set(NOT_FUZZED) <= readers()


def test_every_decoder_enters_the_function_it_is_named_after(entered: dict[str, set[str]]) -> None:
    assert [name for name, seen in entered.items() if BY_NAME[name].function not in seen] == []


def test_the_scan_finds_readers_of_every_kind() -> None:
    found = readers()
    assert {
        "wire.bencode.decode",
        "wire.compression.decompress",
        "client.machine.Client.receive",
        "files.server.FileServer.handle",
        "crypto.fast.FastSuite.open_box",
        "groups.subaccount.is_authentic",
    } <= found
    assert not {"wire.bencode.encode", "wire.rpc.store_call", "crypto.suite.Suite.open_box"} & found
    assert len(found) < len(functions()) / 2


@pytest.mark.parametrize("decoder", DECODERS, ids=by_name)
def test_seeds_are_accepted(decoder: Decoder) -> None:
    fresh = decoder.fresh()
    assert [raw for raw in decoder.seeds if not passes(fresh, raw)] == []
    assert decoder.seeds or "/" in decoder.name, "only a way beside another needs no valid input"


def test_names_differ() -> None:
    assert len(BY_NAME) == len(DECODERS)


def test_the_plan_has_a_million_inputs_and_its_declared_share() -> None:
    assert sum(PLAN.values()) >= (LEAST_IN_FULL if FULL else LEAST_IN_FULL // SHARE_OF_QUICK)
    assert min(PLAN.values()) >= (2_000 if FULL else 50)
