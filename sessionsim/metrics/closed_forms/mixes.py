"""Anonymity systems with a known answer: pool mixes, Crowds, slot queues, padding, the trilemma."""

from __future__ import annotations

import math
from collections.abc import Mapping


def pool_mix_bits(batch: int, kept: int) -> float:
    """Entropy of a pool mix's output, bits: (1 + n/N) log(N + n) - (n/N) log n.

    Args:
        batch: messages that enter and leave each round, N. kept: messages that stay in the pool, n.

    Source: Serjantov, Danezis, PET 2002.
    """
    ratio = kept / batch
    return (1 + ratio) * math.log2(batch + kept) - (ratio * math.log2(kept) if kept else 0.0)


def crowds_initiator(members: int, corrupt: int, forward: float) -> float:
    """Probability that who a corrupt member sees before it is the initiator: 1 - p (n - C - 1)/n.

    Source: Reiter, Rubin, ACM TISSEC 1 (1998).
    """
    return 1 - forward * (members - corrupt - 1) / members


def crowds_entropy_bits(members: int, corrupt: int, forward: float) -> float:
    """Entropy of the initiator for a corrupt member on the path, bits. Source: Diaz et al., PET 2002."""
    q, others = crowds_initiator(members, corrupt, forward), members - corrupt - 1
    each = forward / members
    return -q * math.log2(q) - (others * each * math.log2(each) if others and each else 0.0)


def crowds_probably_innocent(members: int, corrupt: int, forward: float) -> bool:
    """Tell whether the one seen is more likely not the initiator: n >= p (C+1)/(p - 1/2)."""
    return forward > 0.5 and members >= forward * (corrupt + 1) / (forward - 0.5)


def slot_delay(slots: float, messages: float) -> float:
    """Mean wait and service in a queue with Poisson slots (M/M/1): 1/(slots - messages); rates per time."""
    return 1 / (slots - messages)


def padded_size_bits(counts: Mapping[int, int], bucket: int) -> tuple[float, int]:
    """Entropy of the visible size when at least one byte of padding fills up to a multiple, and the sizes.

    Args:
        counts: number of messages by length in bytes. bucket: multiple, 1 leaves lengths as they are.

    Returns:
        Bits, and how many different sizes there are; the min-capacity is the log of that.
    """
    classes: dict[int, int] = {}
    for length, number in counts.items():
        classes[length // bucket] = classes.get(length // bucket, 0) + number
    total = sum(classes.values())
    return -sum(c / total * math.log2(c / total) for c in classes.values() if c), len(classes)


def trilemma_synchronised(users: int, rounds: float, dummies: float) -> float:
    """Least advantage of a global observer, synchronised users: 1 - min(1, (l + beta N l)/(N - 1)).

    Args:
        users: N. rounds: latency overhead l. dummies: beta, dummy messages per user and round.

    Source: Das, Meiser, Mohammadi, Kate, Anonymity Trilemma, S&P 2018.
    """
    return 1 - min(1.0, (rounds + dummies * users * rounds) / (users - 1))


def trilemma_unsynchronised(send: float, rounds: int) -> float:
    """The same when each user emits in a round with probability p: 1 - (1/2 + min(1/2, 1 - (1-p)^l))."""
    return 0.5 - min(0.5, 1 - (1 - send) ** rounds)
