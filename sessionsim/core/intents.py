"""An intent: somebody wants to tell somebody something at some time. The product of `workload`."""

from __future__ import annotations

from typing import NamedTuple


class Intent(NamedTuple):
    """One wish. Args: t_us: when; sender, recipient: account numbers 0..n-1; body: the text."""

    t_us: int
    sender: int
    recipient: int
    body: str
