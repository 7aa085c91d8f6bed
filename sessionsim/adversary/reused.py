"""Passing keys and nonces that come again: by the format they are drawn anew for every layer.

What is drawn once and used again is a name of whoever drew it. Of each key and nonce the beginning is
compared; eight equal bytes are no chance. Which of them an observer meets twice is for `rules.reused` to say.
Source: transport 3.2, 3.3.
"""

from __future__ import annotations

import numpy as np

_WORD = "<u8"  # the bytes that are compared, at once


def reused(*columns: bytes) -> tuple[list[int], list[str]]:
    """Find what stands in several layers.

    Args:
        columns: of all layers the beginnings of one kind of thing, eight bytes each, one after the other.

    Returns:
        Numbers of the layers, and the term of what each has.
    """
    found, terms = list[int](), list[str]()
    for kept in columns:
        values = np.frombuffer(kept, _WORD)
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        places = np.flatnonzero(counts[inverse] > 1).tolist()
        found += places
        terms += [f"string:{values[place].tobytes().hex()}" for place in places]
    return found, terms
