"""What a failed request costs: the rows of the published tables, and how refusals are told apart."""

from __future__ import annotations

import pytest

from sessionsim.protocol.client.reactions import (
    BLAMELESS,
    TABLES,
    Cost,
    Failure,
    failure_of,
    strikes_destination,
)
from sessionsim.protocol.wire.onion_answer import read_refusal

NODE, OTHER = "ab" * 32, "cd" * 32


@pytest.mark.parametrize("family", sorted(TABLES))
def test_every_family_has_a_cost_for_every_failure(family: str) -> None:
    assert set(TABLES[family]) == set(Failure)


def test_libsession_has_the_table_of_its_source() -> None:
    """transport 4: 400 nothing; 502 node removed, path struck; 503 strikes the node; 504, 500 the path."""
    table = TABLES["libsession"]
    assert table[Failure.REFUSED] == Cost()
    assert table[Failure.NOT_FOUND] == table[Failure.UNREACHABLE] == Cost(named="remove", path="strike")
    assert table[Failure.DESTINATION_NOT_FOUND] == Cost(named="remove")
    assert table[Failure.NOT_READY] == Cost(named="strike")
    assert table[Failure.GUARD_NOT_READY] == Cost(guard="strike")
    assert table[Failure.PATH] == Cost(path="strike")
    assert table[Failure.NO_GUARD] == Cost(path="drop")
    assert table[Failure.SILENT] == Cost()


def test_desktop_removes_a_node_that_is_not_found_and_blames_the_path_for_all_else() -> None:
    table = TABLES["desktop"]
    found = {failure for failure, cost in table.items() if cost == Cost(named="remove")}
    assert found == {Failure.NOT_FOUND, Failure.DESTINATION_NOT_FOUND}
    assert table[Failure.SERVER] == Cost()
    rest = set(Failure) - found - {Failure.SERVER}
    assert {table[failure] for failure in rest} == {Cost(path="strike")}


def test_android_alone_repeats_and_only_what_may_go_better() -> None:
    again = {failure for failure, cost in TABLES["android"].items() if cost.again}
    assert set(Failure) - again == {Failure.REFUSED, Failure.SERVER}
    assert not any(cost.again for name in ("desktop", "libsession") for cost in TABLES[name].values())


@pytest.mark.parametrize(
    ("status", "text", "destination", "failure"),
    [
        (502, f"Next node not found: {NODE}", OTHER, Failure.NOT_FOUND),
        (502, f"Next node not found: {NODE}", NODE, Failure.DESTINATION_NOT_FOUND),
        (502, f"Next node not found: {NODE}", "", Failure.NOT_FOUND),
        (502, f"Next node is currently unreachable: {NODE}", OTHER, Failure.UNREACHABLE),
        (502, f"Next node is currently unreachable: {NODE}", NODE, Failure.DESTINATION_UNREACHABLE),
        (502, "Could not resolve host: h", "", Failure.SERVER),
        (502, "Bad gateway", OTHER, Failure.REFUSED),
        (503, f"Snode not ready: {NODE}", OTHER, Failure.NOT_READY),
        (503, "Service node is not ready: not in any swarm\n", OTHER, Failure.GUARD_NOT_READY),
        (503, "Server busy, try again later", OTHER, Failure.GUARD_NOT_READY),
        (504, "Request time out", OTHER, Failure.PATH),
        (500, "Invalid response from snode", OTHER, Failure.PATH),
        (400, "Invalid ciphertext", OTHER, Failure.REFUSED),
        (502, "Next node not found: nobody", OTHER, Failure.REFUSED),
        (599, "\xff", "", Failure.REFUSED),
    ],
)
def test_refusals_are_told_apart(status: int, text: str, destination: str, failure: Failure) -> None:
    assert failure_of(read_refusal(status, text.encode("latin-1")), destination) is failure


def test_clock_and_wrong_swarm_are_nobodys_fault() -> None:
    assert {406, 421, 425} < BLAMELESS


@pytest.mark.parametrize(
    ("status", "desktop", "others"),
    [(200, 0, 0), (0, 0, 0), (400, 0, 0), (401, 0, 0), (404, 1, 0), (406, 0, 0), (421, 1, 0), (425, 0, 0),
     (429, 1, 0), (500, 1, 1), (503, 1, 1), (599, 1, 1), (600, 1, 0), (-5, 1, 0)],
)  # fmt: skip
def test_a_destination_pays_for_its_own_errors(status: int, desktop: int, others: int) -> None:
    assert strikes_destination("desktop", status) == bool(desktop)
    assert strikes_destination("android", status) == strikes_destination("libsession", status) == bool(others)
