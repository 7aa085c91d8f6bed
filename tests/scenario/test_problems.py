"""Wrong scenarios: each gets one message that names file, line, key, what was found and what is allowed."""

# ruff: noqa: E501 (one case a line reads best)
from __future__ import annotations

from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario import Catalogue, read_scenario, resolve

# (text replaced in the good scenario, replacement, place, what is found, part of allowed or hint)
WRONG = [
    ('title = "A title"\n', "", "bad.toml title", "nothing", "required"),
    ("pace = 2", "speed = 2", "bad.toml:29 workload.speed", "speed", "pattern"),
    ("pace = 2", "pase = 2", "bad.toml:29 workload.pase", "pase", "Did you mean 'pace'?"),
    ("[clients]", "[client]", "bad.toml:16 client", "client", "Did you mean 'clients'?"),
    ("poll_interval =", "poll_intervall =", "bad.toml:21 platform.ios.poll_intervall", "poll_intervall", "'poll_interval'"),
    ("poll_interval =", "poll_interval_us =", "bad.toml:21 platform.ios.poll_interval_us", "poll_interval_us", "'poll_interval'"),
    ("desktop = 3", "desktp = 3", "bad.toml:17 clients.desktp", "desktp", "Did you mean 'desktop'?"),
    ('"2 s"', '"2 kB"', "bad.toml:21 platform.ios.poll_interval", "2 kB", "us, µs, ms, s, min"),
    ('"2 s"', "2", "bad.toml:21 platform.ios.poll_interval", 2, "in quotes"),
    ('"2 s"', '"-2 s"', "bad.toml:21 platform.ios.poll_interval", "-2 s", "10 ms or more"),
    ('"1 min"', '"-1 min"', "bad.toml:7 run.duration", "-1 min", "1 s to"),
    ('"1 min"', '"0 s"', "bad.toml:7 run.duration", "0 s", "1 s to"),
    ('"1..3"', '"3..1"', "bad.toml:5 run.seeds", "3..1", "ascending"),
    ('"1..3"', '"one"', "bad.toml:5 run.seeds", "one", "spans"),
    ('"1..3"', "1.5", "bad.toml:5 run.seeds", 1.5, "text in quotes"),
    ('"1..3"', "-1", "bad.toml:5 run.seeds", "-1", "spans"),
    ("seed = 101", "seed = 2", "seeds", 2, "other seeds"),
    ('"2026-04-28"', '"2026-04-29"', "bad.toml:12 network.date", "2026-04-29", "Did you mean '2026-04-28'?"),
    ('"none"', '"non"', "bad.toml:14 network.links.jitter", "non", "Did you mean 'none'?"),
    ("desktop = 3\nios = 1", "desktop = 0", "bad.toml:16 clients", "0 clients", "at least 2"),
    ("desktop = 3", "desktop = -3", "bad.toml:17 clients.desktop", -3, "0 or more"),
    ("desktop = 3", 'desktop = "3"', "bad.toml:17 clients.desktop", "3", "whole number"),
    ("desktop = 3", "desktop = true", "bad.toml:17 clients.desktop", True, "whole number"),
    ('"active-pairs"', '"active-pears"', "bad.toml:28 workload.pattern", "active-pears", "Did you mean 'active-pairs'?"),
    ('pattern = "active-pairs"\n', "", "bad.toml:27 workload.pattern", "nothing", "pattern"),
    ('kind = "snodes"', 'kind = "snode"', "bad.toml:32 vantages.nodes.kind", "snode", "Did you mean 'snodes'?"),
    ("[vantages.nodes]", "[vantages.'<script>']", "bad.toml:31 vantages.<script>", "<script>", "name of 1 to 64"),
    ("[vantages.nodes]", "[vantages.'../x']", "bad.toml:31 vantages.../x", "../x", "name of 1 to 64"),
    ("12.5 %", "112.5 %", "bad.toml:33 vantages.nodes.fraction", "112.5 %", "0 % to 100 %"),
    ("12.5 %", "0.125", "bad.toml:33 vantages.nodes.fraction", "0.125", "%"),
    ("    5,\n", "    'x',\n", "bad.toml:22 platform.ios.namespaces", [0, "x"], "list of whole numbers"),
    ("pace = 2", "pace = nan", "bad.toml:29 workload.pace", None, "0.01 to 100"),
    ("pace = 2", "pace = = 2", "bad.toml:29", "pace = = 2", "TOML"),
    ('"1 min"', '"1 min', "bad.toml:7", 'duration = "1 min', "TOML"),
    ('"2 s"', '"20"', "bad.toml:21 platform.ios.poll_interval", "20", 'like "5 s"'),
    ("12.5 %", "0.125", "bad.toml:33 vantages.nodes.fraction", "0.125", 'like "10 %"'),
    ('"1..3"', "[1, 2]", "bad.toml:5 run.seeds", [1, 2], '"1..3,7"'),
    ('"1..3"', '"1..90000,100001..190000"', "bad.toml:5 run.seeds", None, "at most 100000 seeds"),
    ('"A title"', '" "', "bad.toml:1 title", " ", "not empty"),
    ('"A title"', '"a\\u0000b"', "bad.toml:1 title", "a\0b", "no control characters"),
    ('"A title"', '"a\\u202eb"', "bad.toml:1 title", "a\u202eb", "no control characters"),
    ("desktop = 3", "desktop = 0x" + 9_999 * "f", "bad.toml:17 clients.desktop", None, "100000 or less"),
    ("desktop = 3", "desktop = " + 9_999 * "9", "bad.toml", "a number too long to read", "TOML"),
    ("desktop = 3", "desktop = " + 5_000 * "[" + 5_000 * "]", "bad.toml", "values nested too deep", "TOML"),
    ("desktop = 3", ".".join(5_000 * "a") + " = 1", "bad.toml", "values nested too deep", "TOML"),
    ("[clients]\ndesktop = 3\nios = 1", "clients = 3", "bad.toml:16 network.links.clients", "clients", "one of the keys"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "place", "found", "told"), WRONG, ids=[f"{w[1]}"[:60] for w in WRONG])
def test_a_wrong_scenario_is_told_where_and_what(
    good: Path, catalogue: Catalogue, old: str, new: str, place: str, found: object, told: str
) -> None:
    text = good.read_text()
    assert old in text
    bad = good.with_name("bad.toml")
    bad.write_text(text.replace(old, new, 1))
    with pytest.raises(InvalidInput) as wrong:
        resolve(read_scenario(bad), catalogue)
    assert wrong.value.place == place
    assert found is None or wrong.value.found == found
    assert told in f"{wrong.value.allowed} {wrong.value.hint}"
    assert "\n" not in str(wrong.value)
    assert len(str(wrong.value)) < 1000


def test_a_byte_order_mark_in_front_does_no_harm(good: Path, catalogue: Catalogue) -> None:
    plain = resolve(read_scenario(good), catalogue)
    good.write_text(f"\ufeff{good.read_text()}", encoding="utf-8")
    assert resolve(read_scenario(good), catalogue) == plain


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("extends=good", "a key other than extends"),
        ("clients.desktop=2\nclients.ios=3", "one key=value"),
        (f"clients.desktop={5_000 * '['}", "nested"),
        (f"clients.desktop={9_999 * '9'}", "whole number"),
    ],
)
def test_an_override_says_one_thing(good: Path, catalogue: Catalogue, override: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told) as wrong:
        resolve(read_scenario(good, [override]), catalogue)
    assert len(str(wrong.value)) < 1000


@pytest.mark.parametrize("name", ["../x", "<script>", "A", "a" * 65, "a b", "", "a/b"])
def test_a_scenario_name_is_short_and_plain(name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 64"):
        read_scenario(Path(name))


def test_a_file_name_is_held_to_the_same_rule(tmp_path: Path) -> None:
    path = tmp_path / "<script>.toml"
    path.write_text("")
    with pytest.raises(InvalidInput, match="script"):
        read_scenario(path)


def test_a_missing_or_unreadable_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_scenario(tmp_path / "gone.toml")
    path = tmp_path / "x.toml"
    path.write_bytes(b'a = 1\nb = "\xff"\n')
    with pytest.raises(InvalidInput, match=r"x\.toml:2: .*UTF-8"):
        read_scenario(path)
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(InvalidInput, match="at most"):
        read_scenario(path)


def test_several_problems_are_counted(good: Path, catalogue: Catalogue) -> None:
    good.write_text(good.read_text().replace("pace = 2", "pase = 2").replace("desktop = 3", "desktop = -1"))
    with pytest.raises(InvalidInput, match="1 more to correct"):
        resolve(read_scenario(good), catalogue)
