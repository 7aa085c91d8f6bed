"""Linkage by servers in a simulated run: what is linked is right far beyond the base rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sessionsim.core.verdict import ALARM, Verdict
from sessionsim.experiment import installed, load_replicate, run_scenario
from sessionsim.metrics._answer_key import AnswerKey
from sessionsim.scenario import read_scenario, resolve

SERVERS = """\
title = "Linkage"
question = "What do servers link with what a provider sees?"
[run]
seeds = "1"
suite = "fast"
warmup = "1 min"
duration = "5 min"
drain = "1 min"
keep_bytes = true
[network]
date = "2026-04-28"
limit_swarms = 10
[clients]
desktop = 10
android = 3
ios = 3
[workload]
pattern = "everyday"
presence = false
calls = false
groups = false
messages_per_day = 140
home_share = "0 %"
text_share = "50 %"
rooms_per_account = 2.0
posts_per_day = 50
[vantages.isp]
kind = "provider"
fraction = "100 %"
[vantages.file]
kind = "file-server"
[vantages.room]
kind = "community-server"
[vantages.file-isp]
kind = "coalition"
members = ["file", "isp"]
[vantages.room-isp]
kind = "coalition"
members = ["room", "isp"]
[background]
populations = [0]
[attacks.files]
kind = "file-linkage"
vantage = "file-isp"
[attacks.rooms]
kind = "community-linkage"
vantage = "room-isp"
"""

MEMBERS = """\
title = "Groups"
question = "What do swarm members tell about who shares a group?"
[run]
seeds = "1"
suite = "fast"
warmup = "1 min"
duration = "25 min"
drain = "1 min"
keep_bytes = true
[network]
date = "2026-04-28"
limit_swarms = 10
[clients]
desktop = 4
android = 6
ios = 6
[workload]
pattern = "everyday"
calls = false
communities = false
messages_per_day = 40
home_share = "0 %"
text_share = "50 %"
groups_per_account = 1.5
group_messages_per_day = 5.0
group_size_median = 3
group_size_sigma = 0.3
[vantages.members]
kind = "swarm-member"
fraction = "100 %"
[background]
populations = [0]
[attacks.groups]
kind = "group-linkage"
vantage = "members"
"""


def holds(key: AnswerKey, verdict: Verdict) -> np.ndarray:
    truths = key.truths(verdict.question)
    pairs = zip(verdict.subject.tolist(), verdict.candidate.tolist(), strict=True)
    return np.array([candidate in truths.get(subject, ()) for subject, candidate in pairs])


@pytest.mark.slow
def test_servers_link_far_beyond_the_base_rate(tmp_path: Path) -> None:
    (tmp_path / "linkage.toml").write_text(SERVERS)
    finished = run_scenario(
        resolve(read_scenario(tmp_path / "linkage.toml"), installed()), tmp_path / "out", 1
    )
    replicate = load_replicate(finished.folder / "1")
    key = AnswerKey(replicate)
    files, rooms = (one.verdict for one in replicate.verdicts)
    right, claimed = holds(key, files), files.prob >= ALARM
    assert right.any()
    assert right.mean() < 0.2
    assert right[claimed].mean() > 0.5
    assert claimed.any()
    right = holds(key, rooms)
    ids = np.unique(rooms.subject.astype(str))
    best = [np.flatnonzero(rooms.subject == name) for name in ids.tolist()]
    first = np.mean([right[at[rooms.score[at].argmax()]] for at in best])
    assert len(ids) > 5
    assert first > 0.8
    assert right.mean() < 0.2


@pytest.mark.slow
def test_tokens_that_sleep_with_an_account_show_who_shares_a_group(tmp_path: Path) -> None:
    (tmp_path / "groups.toml").write_text(MEMBERS)
    finished = run_scenario(
        resolve(read_scenario(tmp_path / "groups.toml"), installed()), tmp_path / "out", 1
    )
    replicate = load_replicate(finished.folder / "1")
    found = replicate.verdicts[0].verdict
    right, claimed = holds(AnswerKey(replicate), found), found.prob >= ALARM
    above = found.score[right][:, None] - found.score[~right][None, :]
    assert right.any()
    assert right.mean() < 0.3
    assert np.mean((above > 0) + 0.5 * (above == 0)) > 0.7  # area under the curve; 0.5 by chance
    assert claimed.any()
    assert right[claimed].mean() > 2 * right.mean()
