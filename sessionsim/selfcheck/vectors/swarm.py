"""Sections about where an account is kept: its position on the ring, and the swarm that serves it."""

from __future__ import annotations

from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, Mismatch, plain, section, typed, whole

_PREFIXES = (b"\x05", b"\x03", b"\x00", b"\xff")  # accounts, groups, unblinded keys, and one that is no id
_COUNTS = (1, 2, 3, 7, 20, 150)  # of swarms
_RING = 1 << 64


def _position(pubkey: bytes) -> int:
    return swarm_position(pubkey[1:])


def _swarm_of(pubkey: bytes, ids: list[int]) -> str | None:
    found = nearest_swarm(_position(pubkey), sorted(set(ids)))
    return None if found is None else str(found)


def _space(draw: Draw) -> Made:
    word = draw.raw(8)
    body = draw.choice((draw.raw(32), draw.raw(32), draw.raw(32), word * 4, bytes(24) + word, b"\xff" * 32))
    pubkey = draw.choice(_PREFIXES) + body
    return {"input": plain({"pubkey": pubkey}), "expected": {"swarm_space": str(_position(pubkey))}}


@section("swarm_space", covers=["protocol.swarms.swarm_position"], direction="exact", make=_space)
def swarm_space(case: Case) -> None:
    """Account public key (with prefix byte, hex) to 64-bit position, as decimal text."""
    case.same("swarm_space", str(_position(case.raw("pubkey"))))


def _choice(draw: Draw) -> Made:
    # Ids of the whole ring, or so few that nearly all keys lie across the wrap.
    largest = draw.choice((_RING - 2, 1 << 16))
    ids = sorted({draw.between(0, largest) for _ in range(draw.choice(_COUNTS))})
    pubkey = draw.choice((b"\x05", b"\x03")) + draw.raw(32)
    if draw.flag():
        pubkey = _key_at(_notable(draw, ids), draw)
    return {
        "input": plain({"pubkey": pubkey, "swarm_ids": [str(swarm) for swarm in ids]}),
        "expected": {"swarm_id": _swarm_of(pubkey, ids)},
    }


def _notable(draw: Draw, ids: list[int]) -> int:
    """Give an exact hit, or the middle between two neighbours or a step beside it, across the wrap too."""
    at = draw.between(0, len(ids) - 1)
    gap = (ids[(at + 1) % len(ids)] - ids[at]) % _RING
    return (ids[at] + draw.choice((0, gap // 2, gap // 2 + 1, gap // 2 - 1))) % _RING


def _key_at(position: int, draw: Draw) -> bytes:
    rest = draw.raw(24)
    last = position ^ swarm_position(rest + bytes(8))
    return b"\x05" + rest + last.to_bytes(8, "big")


@section("swarm_choice", covers=["protocol.swarms.nearest_swarm"], direction="exact", make=_choice)
def swarm_choice(case: Case) -> None:
    """Which swarm serves an account; wrap-around, exact hits and ties included."""
    ids = [whole(swarm, "a swarm id") for swarm in typed(case.value("swarm_ids"), list, "input 'swarm_ids'")]
    if not all(0 <= swarm < _RING for swarm in ids):
        raise Mismatch("input 'swarm_ids': an id lies outside 0..2^64-1")
    case.same("swarm_id", _swarm_of(case.raw("pubkey"), ids))
