"""Counts: what one replicate contributes to a metric. They add across shards of a seed.

Sums are indexed by account (shape (n_accounts,)) or are single numbers (shape (1,)); two shards of one
replicate hold the same accounts, so sums add element by element. Samples are plain lists of values, and
two shards' samples follow each other. Nothing here knows what is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What was counted in one replicate.

    Args:
        sums: name -> float64 array that adds element by element.
        samples: name -> float64 array, shape (n_values,), that grows by appending.
    """

    sums: dict[str, FloatArray] = field(default_factory=dict)
    samples: dict[str, FloatArray] = field(default_factory=dict)

    def __add__(self, other: Counts) -> Counts:
        """Join two shards of the same replicate.

        Raises:
            ValueError: the two count different accounts under one name.
        """
        sums = dict(self.sums)
        for name, array in other.sums.items():
            if name in sums and sums[name].shape != array.shape:
                raise ValueError(f"counts {name!r} have shapes {sums[name].shape} and {array.shape}")
            sums[name] = sums[name] + array if name in sums else array
        samples = dict(self.samples)
        for name, array in other.samples.items():
            samples[name] = np.concatenate([samples[name], array]) if name in samples else array
        return Counts(sums, samples)

    def total(self, name: str) -> float:
        """Sum one name over its accounts; 0 if nothing of that name was counted."""
        return float(self.sums[name].sum()) if name in self.sums else 0.0


def floats(values: object) -> FloatArray:
    """Copy any numbers into a float64 array."""
    return np.array(values, dtype=np.float64)
