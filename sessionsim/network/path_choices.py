"""The client's rules of choosing nodes for paths, for many accounts at once (see `client.paths` for one).

Candidates come one at a time for all accounts; whoever cannot use one waits for the next. Fed with the
candidates of one client these give the paths of that client: its first ones, those for files beside them, and
what a rotation puts behind the guards, which avoids what the paths have had until then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.client.path_rules import PathRules

Ints = npt.NDArray[np.int64]
# Gives the k-th candidate for each of some accounts: (k, positions in the batch) -> nodes.
Candidates = Callable[[int, Ints], Ints]

_ATTEMPTS: Final = 10_000  # Assumption: a rule that this many draws cannot satisfy cannot be satisfied


def paths_of(net24: Ints, rules: PathRules, accounts: int, guards: Candidates, rest: Candidates) -> Ints:
    """Choose the paths of many accounts from streams of candidates, as `build_paths` does for one.

    Args:
        net24: /24 of each node. rules: number of paths and subnet rule.
        guards, rest: candidates for first hops, and for the others.

    Returns:
        Nodes, shape (accounts, paths, hops).

    Raises:
        InvalidInput: the network is too small for so many distinct nodes or subnets.
    """
    chosen = guards_of(net24, rules, accounts, guards)
    return joined(chosen, rest_of(net24, rules, chosen, chosen.shape[1], rest))


def guards_of(
    net24: Ints,
    rules: PathRules,
    accounts: int,
    candidates: Candidates,
    count: int = 0,
    beside: Ints | None = None,
) -> Ints:
    """Choose first hops: distinct, and in different /24s unless the rule is `none`; (accounts, count).

    Args:
        count: how many; 0: as many as there are paths.
        beside: first hops in use, which they are distinct and apart from, shape (accounts, n).
    """
    chosen = np.full((accounts, count or rules.paths), -1, dtype=np.int64)
    beside = _none(accounts) if beside is None else beside
    apart = rules.path_subnet_rule != "none"
    _fill(chosen, net24, candidates, apart, beside, beside if apart else _none(accounts))
    return chosen


def rest_of(
    net24: Ints,
    rules: PathRules,
    guards: Ints,
    paths: int,
    candidates: Candidates,
    others: Ints | None = None,
) -> Ints:
    """Choose the nodes behind the guards of so many paths, shape (accounts, paths · others).

    Args:
        guards: all first hops in use, shape (accounts, n).
        others: nodes behind guards that are in use, or were until now; shape (accounts, n).
    """
    accounts, rule = len(guards), rules.path_subnet_rule
    others = _none(accounts) if others is None else others
    chosen = np.full((accounts, paths * (rules.path_hops - 1)), -1, dtype=np.int64)
    refused = np.concatenate([guards, others], axis=1)
    apart_from = {"all": refused, "each-kind": others}.get(rule, _none(accounts))
    _fill(chosen, net24, candidates, rule in ("each-kind", "all"), refused, apart_from)
    return chosen


def with_files(
    net24: Ints, rules: PathRules, guards: Ints, rest: Ints, file_guards: Candidates, file_rest: Candidates
) -> tuple[Ints, Ints]:
    """Put paths for files beside the first paths, as a client does that has such.

    Args:
        guards, rest: of the first paths, as `guards_of` and `rest_of` give them.
        file_guards, file_rest: candidates for the first hops of paths for files, and for the others.

    Returns:
        The guards of all paths, those of files last, and what stands behind them.
    """
    if not rules.file_paths:
        return guards, rest
    used = np.concatenate([guards, rest], axis=1)
    first = guards_of(net24, rules, len(guards), file_guards, rules.file_paths, used)
    guards = np.concatenate([guards, first], axis=1)
    behind = rest_of(net24, rules, guards, rules.file_paths, file_rest, rest)
    return guards, np.concatenate([rest, behind], axis=1)


def joined(guards: Ints, rest: Ints) -> Ints:
    """Put as many nodes behind each guard, shape (accounts, paths, hops)."""
    accounts, paths = guards.shape
    behind = rest.reshape(accounts, paths, rest.shape[1] // paths)
    return np.concatenate([guards[:, :, None], behind], axis=2)


def _none(accounts: int) -> Ints:
    return np.zeros((accounts, 0), dtype=np.int64)


def _fill(
    chosen: Ints, net24: Ints, candidates: Candidates, apart: bool, refused: Ints, apart_from: Ints
) -> None:
    """Take candidates one after another until every place of `chosen`, -1 where empty, is filled.

    Args:
        apart: nodes of `chosen` may not share a /24 with each other.
        refused: nodes that may not be chosen, shape (accounts, n).
        apart_from: nodes whose /24s may not be taken either.
    """
    nets, taken = np.full_like(chosen, -1), net24[apart_from] if apart_from.size else apart_from
    filled = np.zeros(len(chosen), dtype=np.int64)
    for k in range(_ATTEMPTS):
        open_ = np.flatnonzero(filled < chosen.shape[1])
        if not len(open_):
            return
        node = candidates(k, open_)
        net = net24[node]
        bad = (chosen[open_] == node[:, None]).any(axis=1) | (refused[open_] == node[:, None]).any(axis=1)
        if apart:
            bad |= (nets[open_] == net[:, None]).any(axis=1) | (taken[open_] == net[:, None]).any(axis=1)
        rows = open_[~bad]
        chosen[rows, filled[rows]], nets[rows, filled[rows]] = node[~bad], net[~bad]
        filled[rows] += 1
    raise InvalidInput("network", f"{len(net24)} nodes", "enough distinct nodes or /24s for all paths")
