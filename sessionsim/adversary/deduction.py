"""From what was opened to facts: what the fields of read bytes say about the ends of their exchange.

Only certain facts are made here; guesses from times and sizes are the attacks' business. A fact about a
network address needs exactly one client address among the ends of the exchange, linked to the bytes by
`closure`. What fields mean is in `meaning`; what follows for who was where is in `rules`, one file each. No
rule knows an attack.

ONLINE is kept small: the first and the last sighting of each account and address, with the number of
sightings in the derivation. It is certain at these two times and says nothing about the time between.
Signatures are checked where a fact rests on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sessionsim.adversary.closure import Closure
from sessionsim.adversary.collector import collector_paused
from sessionsim.adversary.notes import Notes
from sessionsim.adversary.rules.addresses import sight_addresses
from sessionsim.adversary.rules.asking import take_questions
from sessionsim.adversary.rules.connections import join_connections, take_memberships
from sessionsim.adversary.rules.devices import count_devices
from sessionsim.adversary.rules.files import join_ends, take_files
from sessionsim.adversary.rules.histories import take_histories
from sessionsim.adversary.rules.identities import join_identities
from sessionsim.adversary.rules.insides import take_insides
from sessionsim.adversary.rules.messages import take_deliveries, take_messages
from sessionsim.adversary.rules.names import take_companions, take_names
from sessionsim.adversary.rules.opened import take_opened
from sessionsim.adversary.rules.places import locate
from sessionsim.adversary.rules.reused import take_reused
from sessionsim.adversary.rules.signatures import take_signatures
from sessionsim.adversary.rules.strings import resolve_strings
from sessionsim.adversary.rules.styles import take_styles
from sessionsim.adversary.transcript import Transcript
from sessionsim.core.ledger import Fact
from sessionsim.core.view import View

RULES: Final[tuple[Callable[[Notes], None], ...]] = (
    take_signatures,
    take_messages,
    take_opened,
    take_histories,
    take_deliveries,
    take_files,
    join_ends,
    take_questions,
    join_connections,
    take_memberships,
    count_devices,
    take_styles,
    take_names,
    take_reused,
    take_companions,
    sight_addresses,
    resolve_strings,
    take_insides,
    join_identities,
    locate,
)


def deduce(view: View, transcript: Transcript | None = None) -> list[Fact]:
    """Deduce all certain facts of one view.

    Args:
        view: what the observer has.
        transcript: what can be read in the run, shared between its observers; None makes one of this view.

    Returns:
        Facts, each once, ordered by time, relation, subject and object; ONLINE twice where the first and the
        last sighting differ. A view without bytes gives only ONLINE of the addresses it saw.
    """
    return facts_of(Closure(view, transcript))


def facts_of(closure: Closure) -> list[Fact]:
    """Read the facts off a closure; see `deduce`."""
    with collector_paused():
        notes = Notes(closure)
        for rule in RULES:
            rule(notes)
        return notes.facts()
