"""The null member of every family: it looks at nothing, so what it scores is the floor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def random_guess(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Give scores without any reason. Args: shape: as that of the attack it stands in for."""
    return rng.random(shape)
