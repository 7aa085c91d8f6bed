from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario import Catalogue, Scenario, read_scenario, resolve, to_toml


def load(path: Path, catalogue: Catalogue, *overrides: str) -> Scenario:
    return resolve(read_scenario(path, overrides), catalogue)


def test_values_come_out_in_internal_units(good: Path, catalogue: Catalogue) -> None:
    scenario = load(good, catalogue)
    assert scenario.name == "good"
    assert scenario.seeds == (1, 2, 3)
    assert (scenario.run.warmup_us, scenario.run.duration_us, scenario.run.drain_us) == (
        5 * 10**6,
        6 * 10**7,
        3 * 10**7,
    )
    assert scenario.run.horizon_us == 95 * 10**6
    assert scenario.opening is not None
    assert (scenario.opening.seed, scenario.opening.suite) == (101, "sodium")
    assert scenario.sections["network.links"].jitter == "none"
    assert scenario.sections["network.links"].same_site_rtt_us == 500
    assert scenario.rules["ios"].poll_interval_us == 2 * 10**6
    assert scenario.rules["ios"].namespaces == (0, 5)
    assert scenario.rules["desktop"].poll_interval_us == 5 * 10**6
    assert (scenario.pattern, scenario.workload.pace) == ("active-pairs", 2)
    assert scenario.vantages[0].config.fraction_prob == 0.125
    assert [v.name for v in scenario.vantages] == ["nodes", "all"]


def test_platforms_are_dealt_out_in_turn(good: Path, catalogue: Catalogue) -> None:
    assert load(good, catalogue).platforms == ("desktop", "ios", "desktop", "desktop")


def test_each_setting_used_is_listed_with_its_source(good: Path, catalogue: Catalogue) -> None:
    lines = {(line["section"], line["key"]): line for line in load(good, catalogue).settings}
    poll = lines["platform.ios", "poll_interval"]
    assert poll["value"] == "2 s"
    assert poll["changed"]
    assert not poll["assumption"]
    assert poll["source"] == "client-behaviour 6.1"
    assert not lines["platform.desktop", "poll_interval"]["changed"]
    assert lines["workload", "pace"]["assumption"]
    assert lines["vantages.nodes", "fraction"]["value"] == "12.5 %"


def test_version_2_is_there_only_if_the_scenario_has_its_section(good: Path, catalogue: Catalogue) -> None:
    without = load(good, catalogue)
    assert "v2" not in without.sections
    assert "v2" not in without.resolved
    assert not any(line["section"].startswith("v2") for line in without.settings)
    for text in ("[v2]\n", "[v2.people]\n"):
        path = good.with_name("second.toml")
        path.write_text(good.read_text() + text)
        scenario = load(path, catalogue)
        assert scenario.sections["v2"].adoption_prob == 1.0
        assert scenario.sections["v2.people"].population == "drawn"
        lines = {(line["section"], line["key"]): line for line in scenario.settings}
        assert lines["v2", "adoption"]["assumption"]
        assert lines["v2.people", "population"]["assumption"]
        assert (
            resolve(read_scenario(path, ["v2.adoption=10 %"]), catalogue).sections["v2"].adoption_prob == 0.1
        )


def test_the_resolved_scenario_is_a_scenario_with_the_same_meaning(
    good: Path, catalogue: Catalogue, tmp_path: Path
) -> None:
    first = load(good, catalogue)
    again = tmp_path / "again.toml"
    again.write_text(to_toml(first.resolved))
    second = load(again, catalogue)
    assert second.resolved == first.resolved
    assert (second.sections, second.rules, second.vantages) == (first.sections, first.rules, first.vantages)


def test_servers_have_a_section_and_one_for_each_kind(good: Path, catalogue: Catalogue) -> None:
    scenario = load(good, catalogue, 'servers.off=["file"]', "servers.file.lifetime=2 s")
    assert scenario.sections["servers"].off == ("file",)
    assert scenario.sections["servers"].file_in == ("DE",)
    assert scenario.sections["servers.file"].lifetime_us == 2 * 10**6
    assert scenario.resolved["servers"] == {"file_in": ["DE"], "off": ["file"], "file": {"lifetime": "2 s"}}
    with pytest.raises(InvalidInput, match=r"servers\.push"):
        load(good, catalogue, "servers.push.lifetime=2 s")


def test_abilities_of_clients_have_sections_below_their_platform(good: Path, catalogue: Catalogue) -> None:
    scenario = load(good, catalogue, "platform.desktop.files.tries=5")
    assert {name: rules.tries for name, rules in scenario.part_rules["files"].items()} == {
        "desktop": 5, "ios": 1
    }  # fmt: skip
    lines = {(line["section"], line["key"]): line for line in scenario.settings}
    assert lines["platform.desktop.files", "tries"]["changed"]
    assert not lines["platform.ios.files", "tries"]["changed"]
    assert scenario.resolved["platform"]["ios"]["files"] == {"tries": 1}
    with pytest.raises(InvalidInput, match=r"platform\.ios\.files\.tries"):
        load(good, catalogue, "platform.ios.files.tries=0")


def test_a_scenario_travels_to_another_process(good: Path, catalogue: Catalogue) -> None:
    scenario = load(good, catalogue)
    assert pickle.loads(pickle.dumps(scenario)) == scenario


def test_overrides_win_and_keep_their_place(good: Path, catalogue: Catalogue) -> None:
    assert load(good, catalogue, "run.seeds=5").seeds == (5,)
    assert load(good, catalogue, "network.date=2026-03-01").network.date == "2026-03-01"
    changed = load(
        good, catalogue, "clients.desktop=7", "run.duration=2 min", 'run.suite="sodium"', "title=x y"
    )
    assert changed.platforms.count("desktop") == 7
    assert changed.run.duration_us == 120 * 10**6
    assert (changed.run.suite, changed.title) == ("sodium", "x y")
    with pytest.raises(InvalidInput, match=r"--set clients\.desktop"):
        load(good, catalogue, "clients.desktop=-1")
    with pytest.raises(InvalidInput, match="key=value"):
        load(good, catalogue, "clients.desktop")
    with pytest.raises(InvalidInput, match="is none"):
        load(good, catalogue, "title.x=3")


def test_another_pattern_does_not_inherit_keys_of_the_old_one(good: Path, catalogue: Catalogue) -> None:
    (good.parent / "t.csv").write_text("a,b,1\n")
    changed = load(good, catalogue, "workload.pattern=replay", "workload.trace=t.csv")
    assert changed.pattern == "replay"


def test_a_base_scenario_is_overridden_key_by_key(good: Path, catalogue: Catalogue) -> None:
    child = good.with_name("child.toml")
    child.write_text('extends = "good"\ntitle = "Child"\n[clients]\nios = 5\n[platform.ios]\ngrowth = "no"\n')
    with pytest.raises(InvalidInput) as wrong:
        load(child, catalogue)
    assert wrong.value.place == "child.toml:6 platform.ios.growth"
    child.write_text('extends = "good"\ntitle = "Child"\n[clients]\nios = 5\n')
    scenario = load(child, catalogue)
    assert (scenario.title, scenario.question) == ("Child", "Who learns what?")
    assert scenario.platforms.count("ios") == 5
    assert scenario.platforms.count("desktop") == 3
    assert scenario.rules["ios"].poll_interval_us == 2 * 10**6
    good.write_text(good.read_text().replace('"2 s"', '"2 m"'))
    with pytest.raises(InvalidInput) as inherited:
        load(child, catalogue)
    assert inherited.value.place == "good.toml:21 platform.ios.poll_interval"


@pytest.mark.parametrize("base", ["child", "gone", "../good", "<script>", "good.toml"])
def test_a_base_must_be_a_name_beside_it_and_no_circle(good: Path, catalogue: Catalogue, base: str) -> None:
    child = good.with_name("child.toml")
    child.write_text(f'title = "x"\nextends = "{base}"\n')
    with pytest.raises(InvalidInput) as wrong:
        load(child, catalogue)
    assert wrong.value.place == "child.toml:2 extends"


def test_files_are_found_in_the_folder_of_the_scenario_only(good: Path, catalogue: Catalogue) -> None:
    (good.parent / "t.csv").write_text("a,b,1\n")
    text = good.read_text().replace(
        'pattern = "active-pairs"\npace = 2', 'pattern = "replay"\ntrace = "t.csv"'
    )
    good.write_text(text)
    scenario = load(good, catalogue)
    assert scenario.workload.trace == str(good.parent.resolve() / "t.csv")
    assert set(scenario.files) == {"workload.trace"}
    assert scenario.resolved["workload"]["trace"] == "t.csv"
    assert str(good.parent) not in str(scenario.resolved)
    (good.parent / "out.csv").symlink_to("/etc/hostname")
    for bad in ("../t.csv", "/etc/passwd", "gone.csv", "out.csv", "."):
        good.write_text(text.replace("t.csv", bad))
        with pytest.raises(InvalidInput) as wrong:
            load(good, catalogue)
        assert wrong.value.place == "good.toml:29 workload.trace"
        assert wrong.value.found == bad
    good.write_text(text.replace("t.csv", "t\\u0000.csv"))
    with pytest.raises(InvalidInput, match="control characters"):
        load(good, catalogue)


def test_a_coalition_has_members_of_this_scenario(good: Path, catalogue: Catalogue) -> None:
    for members in ('["nobody"]', "[]", '["all"]'):
        path = good.with_name("bad.toml")
        path.write_text(good.read_text().replace('["nodes"]', members))
        with pytest.raises(InvalidInput) as wrong:
            load(path, catalogue)
        assert wrong.value.place == "bad.toml:36 vantages.all.members"
        assert wrong.value.allowed.endswith(": nodes")


def test_the_opened_seed_is_none_of_the_others(good: Path, catalogue: Catalogue) -> None:
    with pytest.raises(InvalidInput, match="101"):
        load(good, catalogue).with_seeds((100, 101))


def test_settings_that_differ_in_unit_alone_keep_it_in_their_keys(good: Path, catalogue: Catalogue) -> None:
    wire = load(good, catalogue).sections["network.wire"]
    assert (wire.record_bytes, wire.beat_us, wire.beat_bytes) == (22, 10, 68)
    changed = load(good, catalogue, "network.wire.beat_us=1 s", "network.wire.record=1 B")
    wire = changed.sections["network.wire"]
    assert (wire.record_bytes, wire.beat_us, wire.beat_bytes) == (1, 10**6, 68)


def test_an_untouched_section_is_its_class_with_all_defaults(good: Path, catalogue: Catalogue) -> None:
    sections = load(good, catalogue, "network.links.jitter=measured").sections
    for name, made in sections.items():
        assert made == catalogue.sections[name]()


FAULTS = """
[faults.cable]
kind = "delay"
adds = "3 ms"
[faults.power]
kind = "crash"
at = "1 min"
lasts = "30 s"
"""


def test_faults_keep_their_names_and_come_out_in_internal_units(good: Path, catalogue: Catalogue) -> None:
    assert load(good, catalogue).faults == ()
    good.write_text(good.read_text() + FAULTS)
    scenario = load(good, catalogue)
    assert [(fault.name, fault.kind) for fault in scenario.faults] == [("cable", "delay"), ("power", "crash")]
    assert scenario.faults[0].config.adds_us == 3_000
    assert (scenario.faults[1].config.at_us, scenario.faults[1].config.lasts_us) == (60 * 10**6, 30 * 10**6)
    lines = {(line["section"], line["key"]): line for line in scenario.settings}
    assert lines["faults.power", "at"]["value"] == "1 min"
    again = good.with_name("again.toml")
    again.write_text(to_toml(scenario.resolved))
    assert load(again, catalogue).faults == scenario.faults


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[faults.x]\nkind = "crush"', "crash"),
        ('[faults.x]\nkind = "crash"\nat = "1 min"', "lasts"),
        ('[faults.x]\nkind = "delay"\nat = "1 min"', "at"),
        ('[faults.X]\nkind = "delay"', "X"),
    ],
)
def test_a_wrong_fault_is_told_where_and_what(good: Path, catalogue: Catalogue, text: str, told: str) -> None:
    good.write_text(good.read_text() + text)
    with pytest.raises(InvalidInput) as wrong:
        load(good, catalogue)
    assert told in str(wrong.value)
    assert "faults" in str(wrong.value)
