"""A file that is sent to two people: encrypted deterministically it has one id, which joins them; else two.

Files of a run are drawn anew for each message, so here the same content is given for every one.
"""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.intents import File, Intent
from sessionsim.core.ledger import Relation
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.client.files import part
from tests.adversary.test_findings import Findings, of

PICTURE = (File("photo", 4_000),)
WISHES = tuple(Intent((20 + 6 * k) * US_PER_S, 2, k, "see", 0, PICTURE) for k in range(2))


@pytest.mark.parametrize(("encryption", "ids"), [("deterministic", 1), ("legacy", 2)])
def test_deterministic_attachments_repeat_their_id(
    monkeypatch: pytest.MonkeyPatch, encryption: str, ids: int
) -> None:
    seal = part.sealing.seal

    def chosen(client: Any, _usual: str, file: File, address: bytes) -> Any:
        return seal(client, encryption, file, address)

    monkeypatch.setattr(part.sealing, "seal", chosen)
    monkeypatch.setattr(part.sealing, "content_of", lambda client, address, size_bytes: bytes(size_bytes))
    world = Findings("none", wishes=WISHES)
    stored = {name for name, _ in of(world.servers("file"), Relation.SEEN, "file:")}
    assert len(stored) == ids
