"""Node lists against the figures of client-behaviour 7.2, and refusal of lists that cannot be used."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.network.snapshots import FORM, Snapshot, build_nodes, load_snapshot, snapshot_dates
from sessionsim.network.tables import DATA
from sessionsim.protocol.crypto.real import ed25519_keypair, x25519_keypair

# Source: client-behaviour 7.2: date, height, nodes, swarms, sizes 5/6/7, distinct IPs, /24s, /16s, leaving
PUBLISHED = [
    ("2026-02-27", 2055136, 1558, 265, (68, 161, 36), 1032, 756, 356, 150),
    ("2026-03-05", 2059746, 1554, 265, (73, 155, 37), 1035, 758, 359, 91),
    ("2026-03-18", 2069115, 1583, 265, (55, 162, 48), 1039, 765, 362, 47),
    ("2026-03-26", 2074869, 1599, 265, (64, 128, 73), 1036, 763, 358, 138),
    ("2026-03-31", 2078470, 1610, 265, (65, 115, 85), 1030, 759, 356, 137),
    ("2026-04-01", 2079190, 1607, 265, (66, 116, 83), 1028, 759, 355, 132),
    ("2026-04-08", 2084231, 1553, 265, (74, 154, 37), 969, 719, 338, 95),
    ("2026-04-28", 2098640, 1262, 252, (250, 2, 0), 760, 625, 306, 87),
]
LATEST = "2026-04-28"


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: str(row[0]))
def test_shipped_list_has_the_published_figures(row: tuple) -> None:
    date, height, nodes, swarms, sizes, ips, nets24, nets16, leaving = row
    snapshot = load_snapshot(date)
    assert (snapshot.date, snapshot.height, len(snapshot)) == (date, height, nodes)
    per_swarm = Counter(Counter(snapshot.swarm).values())
    assert (sum(per_swarm.values()), tuple(per_swarm[n] for n in (5, 6, 7))) == (swarms, sizes)
    assert len(set(snapshot.ip)) == len(set(snapshot.host)) == ips
    assert len({ip >> 8 for ip in snapshot.ip}) == nets24
    assert len({ip >> 16 for ip in snapshot.ip}) == nets16
    assert sum(snapshot.leaving) == leaving


def test_dates_are_those_that_name_swarms() -> None:
    assert snapshot_dates() == tuple(row[0] for row in PUBLISHED)


@pytest.mark.parametrize(
    ("date", "hint"), [("2026-02-26", "names no swarms"), ("2026-04-29", ""), ("", ""), ("<script>", "")]
)
def test_date_that_cannot_be_used_is_refused_with_the_dates_that_can(date: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match=LATEST) as caught:
        load_snapshot(date)
    assert caught.value.hint.endswith(f"{hint}." if hint else "")
    assert caught.value.found == date


def test_addresses_keep_who_shares_host_and_networks() -> None:
    s = load_snapshot(LATEST)
    for index, shift in ((s.host, 0), (s.net24, 8), (s.net16, 16)):
        pairs = set(zip(index, (ip >> shift for ip in s.ip), strict=True))
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_addresses_lie_in_the_reserved_block_and_end_like_a_host() -> None:
    s = load_snapshot("2026-03-31")
    assert all(ip >> 26 == 240 >> 2 and 1 <= ip & 255 <= 254 for ip in s.ip)


def test_node_keeps_its_address_from_date_to_date_while_it_stays_on_its_host() -> None:
    early, late = load_snapshot("2026-04-08"), load_snapshot(LATEST)
    seen = {
        (node, host): (ip, port)
        for node, host, ip, port in zip(early.node, early.host, early.ip, early.port, strict=True)
    }
    kept = [
        seen[node, host] == (ip, port)
        for node, host, ip, port in zip(late.node, late.host, late.ip, late.port, strict=True)
        if (node, host) in seen
    ]
    assert all(kept)
    assert len(kept) > 1200


def test_ports_tell_nodes_of_one_host_apart_as_on_the_real_network() -> None:
    s = load_snapshot(LATEST)
    assert len(set(zip(s.ip, s.port, strict=True))) == len(s)
    assert all(port == 22021 or 22100 <= port <= 22140 for port in s.port)
    assert 0.55 <= s.port.count(22021) / len(s) <= 0.61  # transport 3.6


def test_limit_keeps_whole_swarms_and_changes_no_node() -> None:
    whole, small = load_snapshot(LATEST), load_snapshot(LATEST, limit_swarms=4)
    first = list(dict.fromkeys(whole.swarm))[:4]
    kept = [i for i, swarm in enumerate(whole.swarm) if swarm in first]
    assert small.node == tuple(whole.node[i] for i in kept)
    assert small.ip == tuple(whole.ip[i] for i in kept)
    assert small.port == tuple(whole.port[i] for i in kept)
    assert len(small) == 20


@pytest.mark.parametrize("limit", [0, -1, 253])
def test_limit_out_of_range_is_refused(limit: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 252"):
        load_snapshot(LATEST, limit_swarms=limit)


def small_table(folder: Path, change: dict[int, str] | None = None, lines: int = 10) -> Path:
    """Write two swarms of five nodes, with some lines (numbered from 1) changed."""
    text = [FORM.header] + [
        f"2027-01-01,9,{n},{n // 2},{n // 4},{n // 8},{'DE' if n < 6 else 'US'},{n // 5 * 16:x},2.11.3,0"
        for n in range(10)
    ]
    for line, new in (change or {}).items():
        text[line - 1] = new
    file = folder / "own.csv"
    file.write_text("\n".join(text[: lines + 1]) + "\n")
    return file


def test_own_file_is_read(tmp_path: Path) -> None:
    file = small_table(tmp_path)
    s = load_snapshot("2027-01-01", path=file)
    assert snapshot_dates(file) == ("2027-01-01",)
    assert s.node == tuple(range(10))
    assert s.swarm == (0,) * 5 + (16,) * 5
    assert s.port[:4] == (22021, 22100, 22021, 22100)
    assert s.ip[:5] == (0xF0000001, 0xF0000001, 0xF0000002, 0xF0000002, 0xF0000101)


@pytest.mark.parametrize(
    ("line", "text", "words"),
    [
        (2, "2027-1-1,9,0,0,0,0,DE,0,,0", "own.csv:2 date"),
        (3, "2027-01-01,x,1,0,0,0,DE,0,,0", "own.csv:3 height"),
        (3, "2027-01-01,9,-1,0,0,0,DE,0,,0", "own.csv:3 node"),
        (3, "2027-01-01,9,1,1e3,0,0,DE,0,,0", "own.csv:3 host"),
        (3, "2027-01-01,9,1,0,,0,DE,0,,0", "own.csv:3 net24"),
        (3, "2027-01-01,9,1,0,0,9999999999,DE,0,,0", "own.csv:3 net16"),
        (3, "2027-01-01,9,1,0,0,0,de,0,,0", "own.csv:3 country"),
        (3, "2027-01-01,9,1,0,0,0,DE,0x0,,0", "own.csv:3 swarm"),
        (3, "2027-01-01,9,1,0,0,0,DE,ffffffffffffffff,,0", "own.csv:3 swarm"),
        (3, "2027-01-01,9,1,0,0,0,DE,0,,yes", "own.csv:3 leaving"),
        (3, "2027-01-01,9,1,0,1,0,DE,0,,0", "own.csv:3: .*one /24"),
        (3, "2027-01-01,9,1,0,0,0,FR,0,,0", "own.csv:3: .*one country"),
        (6, "2027-01-01,9,4,2,1,5,DE,0,,0", "own.csv:7: .*one /16"),
        (3, "2027-01-01,9,1,0,0,0,DE,,,0", "own.csv:3: .*for none"),
        (3, "2027-01-01,8,1,0,0,0,DE,0,,0", "own.csv:3: .*one height"),
        (3, "2027-01-01,9,0,0,0,0,DE,0,,0", "node 0, 2 times"),
        (3, "2027-01-01,9,1,0,0,0,DE,10,,0", "with 4 nodes.*at least 5"),
    ],
)
def test_wrong_line_is_refused_with_its_place(tmp_path: Path, line: int, text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        load_snapshot("2027-01-01", path=small_table(tmp_path, {line: text}))


def test_file_cut_between_two_lines_leaves_a_swarm_too_small(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"swarm 0000000000000010 with 4 nodes"):
        load_snapshot("2027-01-01", path=small_table(tmp_path, lines=9))


def test_shipped_file_cut_off_is_refused(tmp_path: Path) -> None:
    cut = tmp_path / "cut.csv"
    cut.write_bytes((DATA / FORM.name).read_bytes()[:700_001])
    with pytest.raises(InvalidInput, match=r"cut\.csv:11\d\d\d: .*cut off"):
        load_snapshot("2026-02-27", path=cut)


def test_empty_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="one of none"):
        load_snapshot("2027-01-01", path=small_table(tmp_path, lines=0))
    with pytest.raises(InvalidInput, match="no nodes"):
        Snapshot("2027-01-01", 1, *((),) * 10)


def test_keys_are_real_pairs_of_the_seed_and_the_node_alone() -> None:
    seeds = Seeds(5)
    small, large = load_snapshot(LATEST, limit_swarms=2), load_snapshot(LATEST, limit_swarms=6)
    nodes, ed, x = build_nodes(small, seeds)
    for pair, public, converted in zip(ed, nodes.ed25519, x, strict=True):
        assert ed25519_keypair(pair.secret).public == public
        assert x25519_keypair(converted.secret).public == converted.public
    assert nodes.x25519 == tuple(pair.public for pair in x)
    assert (nodes.swarm, nodes.ip, nodes.port) == (small.swarm, small.ip, small.port)
    again = dict(zip(large.node, build_nodes(large, seeds)[1], strict=True))
    assert [again[node] for node in small.node] == list(ed)
    assert set(build_nodes(small, Seeds(6))[0].ed25519).isdisjoint(nodes.ed25519)


def test_every_swarm_of_the_list_has_its_members() -> None:
    nodes, _, _ = build_nodes(load_snapshot(LATEST, limit_swarms=5), Seeds(1))
    assert sorted(len(members) for members in nodes.members.values()) == [5] * 5
