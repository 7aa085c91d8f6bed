"""Passing keys and nonces that come again: by the format they are drawn anew for every layer.

What is drawn once and used again is a name of whoever drew it. Of each key and nonce the beginning is
compared; eight equal bytes are no chance. Which of them an observer meets twice is for `rules.reused` to say.
Source: transport 3.2, 3.3.
"""

from __future__ import annotations

import numpy as np

from sessionsim.adversary.layers import Layers

_WORD = "<u8"  # the bytes that are compared, at once


def reused(layers: Layers) -> tuple[list[int], list[str]]:
    """Find what stands in several layers. Returns: numbers of the layers, and the term of what each has."""
    found, terms = list[int](), list[str]()
    for kept in (bytes(layers.ephemerals), b"".join(layers.marks)):
        values = np.frombuffer(kept, _WORD)
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        places = np.flatnonzero(counts[inverse] > 1).tolist()
        found += places
        terms += [f"string:{values[place].tobytes().hex()}" for place in places]
    return found, terms
