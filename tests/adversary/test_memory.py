"""Deduction over a stored run holds numbers of all rows that an observer sees, and few of its bytes.

A run is written whose byte strings are many times a row group; a process of its own deduces from it, and the
memory that it takes is compared with that for a run of a quarter of the bytes.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from sessionsim.core.columns import HEAD_CODE, ROW
from sessionsim.core.storage import RecordWriter

PAYLOAD = 40_000
FEW, MANY = 500, 2000  # rows: 20 MB and 80 MB
DEDUCE = """
import sys
from pathlib import Path
import numpy as np
from sessionsim.adversary import claims, deduce, observe
from sessionsim.core.blob_store import StoredBlobs
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position
from sessionsim.core.storage import record_groups
from sessionsim.protocol.crypto import real

folder, mode = Path(sys.argv[1]), sys.argv[2]
eds = [real.ed25519_keypair(bytes([k]) * 32) for k in (1, 2)]
xs = [real.x25519_of_ed25519(pair) for pair in eds]
nodes = NodeList(tuple(p.public for p in eds), tuple(p.public for p in xs), (0, 0), (1, 2), (1, 1))
keys = {
    "owner": np.array(["node:0", "node:1"], object), "kind": np.array(["x25519"] * 2, object),
    "public": np.array([p.public.hex() for p in xs], object),
    "secret": np.array([p.secret.hex() for p in xs], object),
}
blobs = StoredBlobs(folder, most_groups=2)
if mode == "whole":
    blobs = dict(blobs)
position = Position(operated=frozenset({0, 1}))
view = observe("eve", position, record_groups(folder), blobs, keys, nodes, "sodium")
facts = deduce(view)
read = sum(1 for value in view.rows["blob"].tolist() if value in view.blobs)
status = Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0], read, len(facts))
"""


def stored(folder: Path, rows: int) -> Path:
    """Write a run of requests that no key opens, each of distinct bytes."""
    writer, draw = RecordWriter(folder), random.Random(rows)
    for k in range(rows):
        outer = b'{"ephemeral_key":"%s"}' % draw.randbytes(32).hex().encode()
        frame = PAYLOAD.to_bytes(4, "little") + draw.randbytes(PAYLOAD) + outer
        head = HEAD_CODE["onion_req"]
        blob = writer.keep(frame)
        writer.buffer += ROW.pack(
            k * 1000, k * 1000 + 500, k, 0, 2, k % 2, k % 2, len(frame), len(frame), blob, 1, head, 0, 0
        )
        if k % 100 == 99:
            writer.spill()
    writer.close()
    return folder


def peak_mb(folder: Path, rows: int, mode: str = "streamed") -> float:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", DEDUCE, str(folder), mode]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    kilobytes, read, facts = (int(word) for word in done.stdout.split())
    assert read == rows
    assert facts > 0
    return kilobytes / 1000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its peak where Linux tells it")
def test_memory_does_not_grow_with_the_bytes_of_a_run(tmp_path: Path) -> None:
    few, many = stored(tmp_path / "few", FEW), stored(tmp_path / "many", MANY)
    small, large = peak_mb(few, FEW), peak_mb(many, MANY)
    more_mb = (MANY - FEW) * PAYLOAD / 1e6
    assert large - small < 0.3 * more_mb, (small, large)
    # The measurement can fail: who reads everything takes all of it.
    assert peak_mb(many, MANY, "whole") - large > 0.5 * more_mb
