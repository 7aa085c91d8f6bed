"""The columns of a recorded transmission, and the codes used in them.

One row is one transmission on one link: what left `src` at `t_sent_us` and reached `dst` at `t_recv_us`
(-1: it never did). The host packs rows with `ROW` into a bytearray; `DTYPE` reads the same bytes as
arrays. `note` says why the transmission happened; it is truth and is stored apart (see `split_note`).
Which of these columns an observer may see is decided in `core.view`.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

import numpy as np


class Transport(IntEnum):
    """What carries the bytes. The low three bits of a connection handle."""

    HTTPS = 0
    QUIC = 1
    OMQ = 2
    TLS = 3  # a connection that a device keeps open to its push platform, with messages both ways
    UDP = 4  # media of calls


class Cause(IntEnum):
    """Why a transmission happened. INHERIT means: as what it answers or forwards."""

    INHERIT = 0
    MESSAGE = 1
    SYNC = 2
    POLL = 3
    REPLICATION = 4
    LOOKUP = 5
    HANDSHAKE = 6
    KEEPALIVE = 7
    PATH = 8  # guard tests and tests of paths
    NODE_LIST = 9  # node lists, clock corrections
    SIGNAL = 10  # typing, receipts, reactions, deletions, calls
    CONFIG = 11  # configs of an account
    GROUP = 12  # all that groups cause beside polls
    FILE = 13
    PUSH = 14
    COMMUNITY = 15
    ACCOUNT_KEYS = 16  # version 2: keys and device groups of an account
    DUMMY = 17  # cover traffic


# Endpoints a request can be addressed to. The head of a request row is its index here; the head of an
# answer is its status code (100 or more).
HEADS: Final = (
    "onion_req",
    "sn.onion_request",
    "storage_rpc",
    "sn.storage_cc",
    "handshake",
    "keepalive",
    "lsrpc",
    "lsrpc/v3",
    "lsrpc/v4",
    "sn.data",
    "sn.data_ready",
    "ping_test",
    "sn.ping",
    "snode_ping",
    "monitor",
    "notify",
    "monitor_ended",
    "json_rpc",  # to a seed node
    "push_register",  # from a device to its push platform
    "push",  # from the push server to a push platform
    "push_delivery",  # from there to the device
    "turn_allocate",  # to a TURN server
    "media",  # of a call, to the other side or a TURN server
    "web",  # to a site that somebody links to
)
HEAD_CODE: Final = {name: code for code, name in enumerate(HEADS)}

ROW: Final = struct.Struct("<qqqqiiiiiiHHBB")
DTYPE: Final = np.dtype(
    [
        ("t_sent_us", "<i8"),  # when the first byte left the source
        ("t_recv_us", "<i8"),  # when the last byte reached the destination; -1 if it never did
        ("exchange", "<i8"),  # pairs a request with its answer on one connection; known to its two ends
        ("note", "<i8"),  # truth: cause and reference, see split_note
        ("src", "<i4"),  # endpoint number of the sender of this transmission
        ("dst", "<i4"),  # endpoint number of its receiver
        ("conn", "<i4"),  # number of the transport connection
        ("app_bytes", "<i4"),  # bytes of application data
        ("wire_bytes", "<i4"),  # bytes on the wire, framing and transport records included
        ("blob", "<i4"),  # number of the kept byte string; -1 if not kept
        ("segments", "<u2"),  # transport segments or datagrams
        ("head", "<u2"),  # see HEADS
        ("transport", "u1"),  # see Transport
        ("direction", "u1"),  # 0 request, 1 answer
    ]
)
assert DTYPE.itemsize == ROW.size


CAUSE_BITS: Final = 6
CAUSE_MASK: Final = (1 << CAUSE_BITS) - 1
REF_SHIFT: Final = 2 * CAUSE_BITS
SIDE: Final = CAUSE_MASK << CAUSE_BITS  # bits of a note that say what a side request is done for


def note_of(cause: Cause, ref: int = -1) -> int:
    """Pack a cause and a reference (message number; -1 for none) into one note."""
    return int(cause) | (ref + 1) << REF_SHIFT


def note_within(own: int, outer: int) -> int:
    """Note of a side request: its own cause, with cause and reference of what it is done for kept beside.

    Bits 0-5 hold the cause, bits 6-11 the cause it is done for, bits 12 and up the reference plus one.
    """
    return (own & CAUSE_MASK) | (outer & CAUSE_MASK) << CAUSE_BITS | (outer >> REF_SHIFT) << REF_SHIFT


def note_outside(note: int) -> int:
    """Note to go on with once a side request is answered: that of what it was done for."""
    if note & SIDE:
        return (note >> CAUSE_BITS & CAUSE_MASK) | (note >> REF_SHIFT) << REF_SHIFT
    return note


def split_note(note: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unpack notes, shape (n,), into causes and references, shape (n,) each."""
    return (note & CAUSE_MASK).astype(np.uint8), (note >> REF_SHIFT) - 1
