"""Predecessor: the one who builds a path stands before the first relay every time (metrics 2a).

Whenever paths are built anew and a session can be recognised at the far end, nodes of the coalition note who
stood before them. The builder is noted each time its own first relay is theirs, others only by chance.

Source: Wright, Adler, Levine, Shields, The Predecessor Attack, ACM TISSEC 7 (2004), 489-522.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
NOBODY = -1


def noted_predecessors(paths: npt.ArrayLike, builder: npt.ArrayLike, bad: npt.ArrayLike) -> Ints:
    """Give whom the coalition notes for each path: who stands before its first member on it.

    A path counts only if the last relay is the coalition's too, because only there the session can be
    recognised.

    Args:
        paths: relays in order, shape (paths, hops). builder: who built each, numbered apart from relays as
            nodes + client, shape (paths,).
        bad: whether each node belongs to the coalition, shape (nodes,).

    Returns:
        Number of a node or builder, shape (paths,); NOBODY where nothing is learned.
    """
    relays, owned = np.asarray(paths, dtype=np.int64), np.asarray(bad, dtype=bool)
    member = owned[relays]
    first = member.argmax(axis=1)
    before = np.where(
        first == 0,
        np.asarray(builder),
        np.take_along_axis(relays, np.maximum(first - 1, 0)[:, None], 1)[:, 0],
    )
    found: Ints = np.where(member[:, -1], before, NOBODY)
    return found


def predecessor_scores(noted: npt.ArrayLike, candidates: int) -> Ints:
    """Count how often each candidate was noted, shape (candidates,)."""
    array = np.asarray(noted, dtype=np.int64)
    found: Ints = np.bincount(array[array >= 0], minlength=candidates)
    return found
