"""Who asked about whom, where no signature says that it was the owner.

The way to somebody's swarm, and under version 2 their public keys, are asked for without a signature. Who
answers sees about whom; joined with an address it says that somebody there has to do with that account.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from sessionsim.adversary.columns import column
from sessionsim.adversary.derivations import Steps, address_of
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.notes import Notes, earliest, groups
from sessionsim.core.ledger import Relation


def take_questions(notes: Notes) -> None:
    """Note about whom each address asked without a signature, first."""
    request, about = (column(values) for values in notes.meaning.asked)
    least_us = np.where(notes.client[request] >= 0, notes.least_us[request], NEVER)

    def steps(place: int) -> Steps:
        asking, term = int(request[place]), notes.meaning.names[int(about[place])]
        calls = notes.meaning.calls[asking]
        call = next(call for call in calls if term.endswith(call.account.hex()) and call.account)
        return (*notes.linked(asking), *notes.words.read(asking), *notes.words.call(call))

    for (client, number), places in groups((notes.client[request], about), least_us):
        best = earliest(
            places,
            least_us[places].tolist(),
            lambda place: notes.linked_us(int(request[place])),
            lambda place: True,
        )
        if best is not None:
            address, why = address_of(notes.view, client), partial(steps, best[0])
            notes.note(Relation.ASKED, address, notes.meaning.names[number], best[1], why)
