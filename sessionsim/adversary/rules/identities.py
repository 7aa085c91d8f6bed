"""Names of one owner: by a string that nobody else uses, and by the known ways to make one name of another.

    string    stands in what one address sent and in what one account signed, and nowhere else
    blinded   is what the community's public key makes of an account id that the observer knows

Both join names that the observer has; who has only one of them learns nothing here. Names that are one with a
third are one with each other.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial

from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.notes import Derive, Notes
from sessionsim.core.ledger import Relation
from sessionsim.protocol.blinding import blinded_id_matches

_LINKING = (Relation.ACTS_FOR, Relation.LINKED)
_UNIQUE = ("string:", "file:")
_SIGNERS = ("account:", "member:", "blinded:")


def join_identities(notes: Notes) -> None:
    """Note which names belong to one owner. To be asked last: it rests on what the other rules found."""
    _by_strings(notes)
    _by_blinding(notes)
    _close(notes)


def _by_strings(notes: Notes) -> None:
    users: dict[str, dict[str, tuple[int, Derive]]] = defaultdict(dict)
    for (relation, subject, term), known in notes.known.items():
        if relation is Relation.NAMED and term.startswith(_UNIQUE):
            users[term][subject] = known
    for term, named_by in users.items():
        addresses = [one for one in named_by if one.startswith("addr:")]
        signers = [one for one in named_by if one.startswith(_SIGNERS)]
        if len(addresses) == 1 and len(signers) == 1:
            _link(notes, addresses[0], signers[0], named_by, term)


def _link(notes: Notes, one: str, other: str, named_by: dict[str, tuple[int, Derive]], term: str) -> None:
    (first_us, first), (then_us, then) = named_by[one], named_by[other]
    why = partial(_joined, first, then, f"nobody else uses {term}")
    notes.note(Relation.LINKED, one, other, max(first_us, then_us), why)


def _joined(one: Derive, other: Derive, reason: str) -> Steps:
    return (*one(), *other(), reason)


def _by_blinding(notes: Notes) -> None:
    """Try every account id on every blinded id: a community's key and an account id make the blinded one."""
    seen = {term: known for (relation, term, _), known in notes.known.items() if relation is Relation.SEEN}
    accounts = {term: known for term, known in seen.items() if term.startswith("account:")}
    accounts |= {f"account:{one.hex()}": (notes.first_us, _from_the_start) for one in notes.view.ids}
    for blinded, (seen_us, seen_why) in seen.items():
        if not blinded.startswith("blinded:"):
            continue
        raw = bytes.fromhex(blinded.partition(":")[2])
        for account, (known_us, known_why) in accounts.items():
            whose = bytes.fromhex(account.partition(":")[2])
            for endpoint, key in notes.view.server_keys.items():
                if notes.view.servers.get(endpoint) == "community" and blinded_id_matches(whose, raw, key):
                    reason = f"the community's key {key.hex()} makes this blinded id of this account"
                    why = partial(_joined, known_why, seen_why, reason)
                    notes.note(Relation.LINKED, account, blinded, max(seen_us, known_us), why)


def _from_the_start() -> Steps:
    return ("this account id is known from the start",)


def _close(notes: Notes) -> None:
    """Join what is one with a third, over and over, the earliest ways first."""
    links = [(known[0], subject, term, known[1]) for (relation, subject, term), known in notes.known.items()
             if relation in _LINKING]  # fmt: skip
    links.sort(key=lambda link: link[:3])
    owner: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    reasons: dict[str, list[Derive]] = {}
    for t_us, one, other, why in links:
        for name in (one, other):
            owner.setdefault(name, name)
            members.setdefault(name, [name])
            reasons.setdefault(name, [])
        a, b = owner[one], owner[other]
        if a == b:
            continue
        through = [*reasons[a], *reasons[b], why]
        for left in members[a]:
            for right in members[b]:
                _note_pair(notes, left, right, t_us, through, direct={left, right} == {one, other})
        for name in members[b]:
            owner[name] = a
        members[a] += members.pop(b)
        reasons[a] = through


def _note_pair(notes: Notes, one: str, other: str, t_us: int, through: list[Derive], *, direct: bool) -> None:
    """Note two names as one, unless it is known already; what is longest known comes first."""
    if direct or not one or {one.partition(":")[0], other.partition(":")[0]} == {"addr"}:
        return
    first, second = sorted((one, other), key=lambda name: (_SIGNERS.index(name.partition(":")[0] + ":")
                           if name.partition(":")[0] + ":" in _SIGNERS else -1, name))  # fmt: skip
    if (Relation.ACTS_FOR, first, second) not in notes.known:
        notes.note(Relation.LINKED, first, second, t_us, partial(_all, through))


def _all(through: list[Derive]) -> Steps:
    return tuple(dict.fromkeys(step for derive in through for step in derive()))
