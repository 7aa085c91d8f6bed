"""Questions to a stored run: observers it had, observers it did not have, and how they know."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from sessionsim.adversary import claims
from sessionsim.core.errors import InvalidInput, StorageDamaged
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Role
from sessionsim.core.storage import read_ledger
from sessionsim.experiment import explain_fact, knows
from sessionsim.experiment.archive import Archive, opened_replicates
from sessionsim.experiment.readings_file import read_readings


@pytest.fixture(scope="module")
def archive(tiny_run: Path) -> Archive:
    return Archive(tiny_run / "9")


def test_only_opened_replicates_are_asked(tiny_run: Path, tmp_path: Path) -> None:
    assert opened_replicates(tiny_run) == [tiny_run / "9"]
    assert opened_replicates(tiny_run / "9") == [tiny_run / "9"]
    for folder in (tmp_path, tiny_run / "1"):
        with pytest.raises(StorageDamaged):
            opened_replicates(folder)


def test_replicates_that_the_readings_are_not_of_are_left_out(tiny_run: Path, tmp_path: Path) -> None:
    """Seeds that attacks learn on lie beside those of the run."""
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    shutil.copytree(run / "9", run / "201")
    assert opened_replicates(run) == [run / "9"]
    (run / "manifest.json").unlink()
    assert opened_replicates(run) == [run / "9", run / "201"]


def test_asked_again_an_observer_knows_what_it_knew(archive: Archive) -> None:
    for name in archive.declared:
        stored = [fact for fact in archive.ledger() if fact.observer == name]
        assert archive.facts(name, archive.declared[name]) == stored


def test_declared_observers_get_the_readings_of_the_run(tiny_run: Path) -> None:
    stored = {
        (reading.metric, reading.name): reading
        for reading in read_readings(tiny_run)
        if reading.metric == "who-learned-what"
    }
    found = knows(tiny_run, ["isp", "nodes"])
    for reading in found.readings:
        if not reading.name.startswith("isp + nodes") and "joining" not in reading.name:
            kept = stored[reading.metric, reading.name]  # numbers are stored with twelve digits
            assert (kept.value, kept.high) == pytest.approx((reading.value, reading.high), rel=1e-9)
            assert (kept.name, kept.counts, kept.n) == (reading.name, reading.counts, reading.n)
    assert found.observers == ("isp", "nodes", "isp + nodes")
    assert found.left_out == {}


def test_what_only_the_coalition_knows_is_listed(tiny_run: Path, archive: Archive) -> None:
    found = knows(tiny_run, ["guard", "swarm"])
    alone = set()
    for name in ("guard", "swarm"):
        alone |= claims(archive.facts(name, archive.position(name)[0]))
    assert found.surplus
    assert not claims(found.surplus) & alone
    assert {fact.observer for fact in found.surplus} == {"guard + swarm"}


def test_a_kind_stands_where_something_was_recorded(archive: Archive) -> None:
    place, missing = archive.position("guard")
    nodes = archive.declared["nodes"].operated
    assert place.in_role == {(node, Role.GUARD) for node in nodes}
    assert missing == len(archive.scene.nodes) - len(nodes)
    assert archive.position("mid")[0].in_role == {(node, Role.MIDDLE) for node in nodes}
    assert archive.position("isp") == (archive.declared["isp"], 0)


def test_roles_asked_for_later_know_no_more_than_the_nodes_themselves(archive: Archive) -> None:
    whole = claims(archive.facts("nodes", archive.declared["nodes"]))
    for kind in ("guard", "middle", "last-hop", "swarm-member"):
        assert claims(archive.facts(kind, archive.position(kind)[0])) <= whole


@pytest.mark.parametrize(
    "name",
    [
        "nobody",
        "p",
        "contact",
        "device-thief",
        "foundation",
        "",
        "guard:",
        "guard:x",
        "guard:x=1",
        "phrase-thief:client=77",
        "phrase-thief:client=one",
        "phrase-thief:at=soon",
    ],
)
def test_who_cannot_be_asked_about_is_refused(archive: Archive, name: str) -> None:
    with pytest.raises(InvalidInput):
        archive.position(name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Guard", "Nearest: guard."),
        ("swarm-membre", "Nearest: swarm-member."),
        ("p", "Several begin so: phrase-thief, provider, push-platform, push-server."),
        ("guard middle", "Put commas between names."),
        ("push-server", "declare one that stands there"),
        ("contact", 'declare [vantages.contact] with kind = "contact", and run the scenario again.'),
        ("device-thief:client=1", 'kind = "device-thief", client = 1, and run the scenario again. A copy'),
        ("phrase-thief:klient=1", "settings of phrase-thief: client, clock_offset, at, asks_swarm"),
    ],
)
def test_a_wrong_name_gets_the_next_step(archive: Archive, name: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(hint)):
        archive.position(name)


def test_what_is_no_run_is_told_apart_from_a_run_that_kept_no_bytes(tiny_run: Path, tmp_path: Path) -> None:
    for folder, why in (
        (tmp_path / "nowhere", "is not there"),
        (tiny_run / "readings.json", "is a file"),
        (tiny_run / "1", "keep_bytes = true"),
    ):
        with pytest.raises(StorageDamaged, match=why):
            opened_replicates(folder)


def test_nobody_is_no_question(tiny_run: Path) -> None:
    with pytest.raises(InvalidInput):
        knows(tiny_run, [])


def test_a_fact_is_found_by_number_and_by_words(tiny_run: Path) -> None:
    ledger = read_ledger(tiny_run / "9/ledger.parquet")
    number = next(k for k, fact in enumerate(ledger, 1) if fact.relation is Relation.SENT)
    found = explain_fact(tiny_run, [str(number)])
    assert found.facts == ((number, ledger[number - 1]),)
    assert found.explanation is not None
    assert [step.text for step in found.explanation.steps] == list(ledger[number - 1].derivation)
    several = explain_fact(tiny_run, ["stored", "addr:"])
    assert several.explanation is None
    assert len(several.facts) > 1
    assert {fact.observer for _, fact in explain_fact(tiny_run, ["addr:"], "isp").facts} == {"isp"}


@pytest.mark.parametrize("words", [["0"], ["99999999"], ["no such words"], []])
def test_a_fact_that_is_not_there_is_named(tiny_run: Path, words: list[str]) -> None:
    with pytest.raises(InvalidInput, match="FACT"):
        explain_fact(tiny_run, words)
    with pytest.raises(InvalidInput, match="--as"):
        explain_fact(tiny_run, ["1"], "nobody")


def test_what_several_know_only_together_can_be_explained(tiny_run: Path) -> None:
    surplus = knows(tiny_run, ["guard", "swarm-member"]).surplus
    told = explain_fact(tiny_run, [Relation.SENT.value], "guard,swarm-member")
    assert {fact.observer for _, fact in told.facts} == {"guard + swarm-member"}
    fact = next(one for one in surplus if one.relation is Relation.SENT)
    number = next(
        number for number, one in told.facts if one.subject == fact.subject and one.object == fact.object
    )
    explanation = explain_fact(tiny_run, [str(number)], "guard,swarm-member").explanation
    assert explanation is not None
    assert explanation.observer == "guard + swarm-member"
    assert [step.text for step in explanation.steps] == list(fact.derivation)
    with pytest.raises(InvalidInput, match="FACT"):
        explain_fact(tiny_run, [fact.subject, fact.object], "guard")
    with pytest.raises(InvalidInput, match="--as"):
        explain_fact(tiny_run, ["1"], " , ")


def test_every_kind_of_fact_can_be_explained(tiny_run: Path) -> None:
    ledger = read_ledger(tiny_run / "9/ledger.parquet")
    first = {fact.relation: number for number, fact in reversed(list(enumerate(ledger, 1)))}
    for number in first.values():
        explanation = explain_fact(tiny_run, [str(number)]).explanation
        assert explanation is not None
        assert explanation.steps


def test_asking_changes_no_file(tiny_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_run, copy)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    knows(copy, ["guard"])
    explain_fact(copy, ["1"])
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_a_thief_of_any_phrase_can_be_asked_about_later(tiny_run: Path) -> None:
    """The keys of each account open what others kept; what its swarm held was recorded for no theft."""
    together = []
    for client in (0, 1):
        name = f"phrase-thief:client={client}:at=0 s"
        found = knows(tiny_run, [name, "nodes"])
        assert found.observers == (name, "nodes", f"{name} + nodes")
        assert "declare [vantages.phrase-thief] with" in found.notes[name]
        values = {one.name: one.value for one in found.readings}
        assert values[f"{name}: S2"] == 0
        assert values["nodes: S10-type"] == 0
        together.append(values[f"{name} + nodes: S10-type"])
    assert max(together) > 0
    later = knows(tiny_run, ["phrase-thief:client=0:at=1 d", "nodes"])
    assert [one.value for one in later.readings if one.name.endswith("+ nodes: S10-type")] == [
        one.value
        for one in knows(tiny_run, ["phrase-thief", "nodes"]).readings
        if one.name.endswith("+ nodes: S10-type")
    ]


def test_a_copy_of_any_device_can_be_asked_about_later(tiny_run: Path) -> None:
    found = knows(tiny_run, ["device-thief:stays=false:at=1 d"])
    values = {one.name.partition(": ")[2]: one.value for one in found.readings}
    assert values["S2"] > 0  # the texts that lie there
    early = knows(tiny_run, ["device-thief:stays=false"])
    assert {one.value for one in early.readings if one.name.endswith(": S2")} == {0}


def test_keys_asked_for_later_change_nothing_for_others(tiny_run: Path, archive: Archive) -> None:
    other = Archive(tiny_run / "9")
    place, _ = other.position("phrase-thief:client=1")
    assert claims(other.facts("thief", place)) == set()
    for name in other.declared:
        assert other.facts(name, other.declared[name]) == archive.facts(name, archive.declared[name])
