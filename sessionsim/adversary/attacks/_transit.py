"""What a training seed teaches about messages in transit: how long they take, and how large they look.

`Transit` holds, of messages seen on a client's link and again at a swarm member, the law of the delay (a
kernel estimate over its logarithm, apart for members that were asked and members that had it forwarded) and
how often a request of one size on the link became a stored message of another. Sizes never met get what is
left over by adding one half to every count.

Source: metrics 2b(iii): likelihood ratio with the known delay density; sizes are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._events import requests, stores
from sessionsim.core.verdict import Example, Question

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_GRID: Final = 512  # Assumption: points at which a density is kept
_FLOOR: Final = 1e-4  # Assumption: share of messages that arrive as if by no law, so that none is impossible
_HALF: Final = 0.5  # Krichevsky and Trofimov's estimate of a share
_SPOKEN: Final = ("kind:message", "kind:sync")


@dataclass(frozen=True, slots=True, eq=False)
class DelayLaw:
    """Density of a delay in seconds. Args: log_s: grid of logarithms; log_density: of 1/s, at the grid."""

    log_s: Floats
    log_density: Floats
    longest_s: float

    def __call__(self, delay_s: Floats) -> Floats:
        """Give the natural logarithm of the density; -inf for delays of 0 or less and beyond the longest."""
        inside = (delay_s > 0) & (delay_s <= self.longest_s)
        logs = np.log(np.where(inside, delay_s, 1.0))
        found: Floats = np.where(inside, np.interp(logs, self.log_s, self.log_density), -np.inf)
        return found


def delay_law(delays_s: npt.ArrayLike) -> DelayLaw:
    """Estimate a delay law from at least two samples above 0, by a Gaussian kernel over the logarithm."""
    logs = np.log(np.asarray(delays_s, dtype=np.float64))
    longest = float(np.exp(logs.max())) * 2
    # Silverman's rule; equal samples still get some width.
    width = max(0.02, 1.06 * float(logs.std()) * len(logs) ** -0.2)
    grid = np.linspace(logs.min() - 4 * width, np.log(longest), _GRID)
    kernel = np.exp(-0.5 * ((grid[:, None] - logs) / width) ** 2).sum(axis=1)
    density = kernel / (len(logs) * width * np.sqrt(2 * np.pi)) / np.exp(grid)  # per second
    mixed = (1 - _FLOOR) * density + _FLOOR / longest
    return DelayLaw(grid, np.log(mixed), longest)


@dataclass(frozen=True, slots=True, eq=False)
class Transit:
    """What was learned.

    Args:
        direct, forwarded: delay from the link to a member that was asked, and to another one.
        spoken: link size -> share of its requests that carry messages.
        sizes: (stored size, link size) -> times met; links: link size -> times met among messages.
        coverage: share of the stored messages whose request was in the view.
    """

    direct: DelayLaw
    forwarded: DelayLaw
    spoken: dict[int, float]
    sizes: dict[tuple[int, int], int]
    links: dict[int, int]
    coverage: float

    def carries(self, wire_bytes: Ints) -> Floats:
        """Probability that requests of these sizes carry a message; 0 for sizes never met."""
        distinct, inverse = np.unique(wire_bytes, return_inverse=True)
        known = np.array([self.spoken.get(int(size), 0.0) for size in distinct.tolist()])
        found: Floats = known[inverse] if len(distinct) else np.zeros(0)
        return found

    def size_ratio(self, stored: Ints, wire_bytes: Ints) -> Floats:
        """How much likelier a link size is for this stored size than for any message, element by element."""
        kinds = len(self.links)
        total = sum(self.links.values())
        per_stored = Counter[int]()
        for (size, _), times in self.sizes.items():
            per_stored[size] += times
        pairs = np.stack([stored, wire_bytes], axis=1) if len(stored) else np.zeros((0, 2), dtype=np.int64)
        distinct, inverse = np.unique(pairs, axis=0, return_inverse=True)
        ratios = []
        for size, wire in distinct.tolist():
            of_any = (self.links.get(wire, 0) + _HALF) / (total + _HALF * (kinds + 1))
            met = per_stored[size]
            # A stored size that was never met says nothing.
            own = (self.sizes.get((size, wire), 0) + _HALF) / (met + _HALF * (kinds + 1)) if met else of_any
            ratios.append(own / of_any)
        found: Floats = np.array(ratios)[inverse.ravel()] if len(distinct) else np.zeros(0)
        return found


def learn_transit(examples: Sequence[Example]) -> Transit | None:
    """Learn from views of training seeds; None if too few messages were seen at both ends."""
    delays: dict[bool, list[float]] = {True: [], False: []}
    spoken, asked = Counter[int](), Counter[int]()
    sizes, links = Counter[tuple[int, int]](), Counter[int]()
    seen = met = 0
    for example in examples:
        kinds = example.labels[Question.EVENT_KIND]
        sent: dict[str, list[tuple[int, int]]] = {}
        found = requests(example.view)
        for t_us, wire, row in zip(
            found.t_us.tolist(), found.wire_bytes.tolist(), found.row.tolist(), strict=True
        ):
            asked[wire] += 1
            if kinds.get(f"row:{row}", ("",))[0] in _SPOKEN:
                spoken[wire] += 1
                message = example.carried.get(f"row:{row}")
                if message is not None:
                    sent.setdefault(message, []).append((t_us, wire))
        stored = stores(example.view)
        columns = (
            stored.t_us.tolist(),
            stored.message.tolist(),
            stored.size_bytes.tolist(),
            stored.direct.tolist(),
        )
        for t_us, message, size, direct in zip(*columns, strict=True):
            earlier = [one for one in sent.get(message, ()) if one[0] < t_us]
            seen += 1
            if earlier:
                met += 1
                delays[direct].append((t_us - earlier[-1][0]) / 1e6)
                sizes[size, earlier[-1][1]] += 1
                links[earlier[-1][1]] += 1
    every = delays[True] + delays[False]
    if len(every) < 2:
        return None
    laws = [delay_law(own if len(own) >= 10 else every) for own in (delays[True], delays[False])]
    share = {wire: spoken[wire] / asked[wire] for wire in spoken}
    return Transit(laws[0], laws[1], share, dict(sizes), dict(links), met / seen)
