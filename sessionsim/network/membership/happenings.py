"""What blocks did, as rows of truth's table of events.

    block            how many nodes are active from then on; of the first node, whichever it is
    node joined      began to serve; node left: serves no more, for good or for a while
    node moved       serves in another swarm
    swarm created, swarm dissolved    of one of its nodes

The value of all but `block` is the height of the block.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sessionsim.core.truth import EVENT_COLUMNS
from sessionsim.core.view import Table
from sessionsim.network.membership.history import Block, History

_Row = tuple[int, int, str, int, int]  # the columns of truth's events


def with_blocks(events: Table, history: History) -> Table:
    """Put what blocks did among the events, in order of time; of one time, the blocks first."""
    rows = [row for block in history.blocks for row in _rows_of(block)]
    if not rows:
        return events
    columns = {
        name: np.concatenate([np.array([row[k] for row in rows], dtype=events[name].dtype), events[name]])
        for k, name in enumerate(EVENT_COLUMNS)
    }
    order = np.argsort(columns["t_us"], kind="stable")
    return {name: column[order] for name, column in columns.items()}


def _rows_of(block: Block) -> Iterator[_Row]:
    changed, t_us, height = block.changed, block.t_us, block.height
    yield t_us, 0, "block", -1, len(block.nodes.active)
    for what, nodes in (("joined", changed.joined), ("left", changed.left), ("moved", changed.moved)):
        for node in sorted(nodes):
            yield t_us, node, f"node {what}", -1, height
    for swarm in changed.created:
        yield t_us, block.nodes.members[swarm][0], "swarm created", -1, height
    for _ in changed.dissolved:
        # Its nodes stand elsewhere or are gone by now.
        yield t_us, 0, "swarm dissolved", -1, height
