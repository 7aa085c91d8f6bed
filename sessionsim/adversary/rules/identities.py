"""Names of one owner: by the token of a device, and by the known ways to make one name of another.

    token     the push platform gives each device one of its own: it stands in what one address sent, and in
              what the device signs for its account and, with their members' tokens, for its groups
    blinded   is what the community's public key makes of an account id that the observer knows

Both join names that the observer has; who has only one of them learns nothing here. Names that are one with a
third are one with each other; not so by an address that several accounts use, nor by a group's own key,
which all its admins have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.names import OF_DEVICE, id_term
from sessionsim.adversary.notes import Derive, Notes
from sessionsim.core.errors import ProtocolError
from sessionsim.core.ledger import Relation
from sessionsim.protocol.blinding import blind15_ids, blind25_id

_LINKING = (Relation.ACTS_FOR, Relation.LINKED)
_SIGNERS = ("account:", "member:", "blinded:")
_OWNED = ("addr:", *_SIGNERS)
_ORDER = ("addr", "account", "member", "blinded")  # what stands first in a link

_Known = tuple[int, Derive]


def join_identities(notes: Notes) -> None:
    """Note which names belong to one owner. To be asked last: it rests on what the other rules found."""
    _by_tokens(notes)
    _by_blinding(notes)
    _close(notes)
    _take_over(notes)


def _by_tokens(notes: Notes) -> None:
    users: dict[str, dict[str, _Known]] = defaultdict(dict)
    for (relation, subject, term), known in notes.known.items():
        if relation is Relation.NAMED and term.startswith(OF_DEVICE):
            users[term][subject] = known
    for term, named_by in users.items():
        names = sorted((one for one in named_by if one.startswith(_OWNED)), key=_rank)
        kinds = [name.partition(":")[0] for name in names]
        if max(map(kinds.count, ("addr", "account"))) > 1:  # no device's own after all
            continue
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                (first_us, first), (then_us, then) = named_by[one], named_by[other]
                why = partial(_joined, first, then, f"a device has {term} for itself")
                notes.note(Relation.LINKED, one, other, max(first_us, then_us), why)


def _rank(name: str) -> tuple[int, str]:
    """Give what stands first in a link."""
    return _ORDER.index(name.partition(":")[0]), name


def _take_over(notes: Notes) -> None:
    """Note that who is one with a member of a group is that member."""
    groups: dict[str, list[tuple[str, _Known]]] = defaultdict(list)
    for (relation, member, group), known in notes.known.items():
        if relation is Relation.MEMBER_OF and member.startswith("member:"):
            groups[member].append((group, known))
    for (relation, one, other), (t_us, why) in list(notes.known.items()):
        if relation is Relation.LINKED and one.startswith("account:"):
            for group, (since_us, member_why) in groups.get(other, ()):
                steps = partial(_joined, why, member_why, f"{other} is this account")
                notes.note(Relation.MEMBER_OF, one, group, max(t_us, since_us), steps)


def _joined(one: Derive, other: Derive, reason: str) -> Steps:
    return (*one(), *other(), reason)


def _by_blinding(notes: Notes) -> None:
    """Blind every account id for every community, and look whether anybody has been seen by that name."""
    seen = {term: known for (relation, term, _), known in notes.known.items() if relation is Relation.SEEN}
    blinded = {term: known for term, known in seen.items() if term.startswith("blinded:")}
    keys = [key for end, key in notes.view.server_keys.items() if notes.view.servers.get(end) == "community"]
    if not blinded or not keys:
        return
    accounts = {term: known for term, known in seen.items() if term.startswith("account:")}
    for one in notes.view.ids:
        accounts.setdefault(id_term(one), (notes.first_us, _from_the_start))
    for account, (known_us, known_why) in accounts.items():
        for key in keys:
            for name in _blinded(bytes.fromhex(account.partition(":")[2]), key):
                if name in blinded:
                    seen_us, seen_why = blinded[name]
                    reason = f"the community's key {key.hex()} makes this blinded id of this account"
                    why = partial(_joined, known_why, seen_why, reason)
                    notes.note(Relation.LINKED, account, name, max(seen_us, known_us), why)


def _blinded(account_id: bytes, key: bytes) -> Iterator[str]:
    """Give the names that an account may have in a community; none for an id that is no key."""
    try:
        yield from map(id_term, (*blind15_ids(account_id, key), blind25_id(account_id, key)))
    except ProtocolError:
        return


def _from_the_start() -> Steps:
    return ("this account id is known from the start",)


def _close(notes: Notes) -> None:
    """Join what is one with a third, over and over, the earliest ways first."""
    links = sorted(_links(notes), key=lambda link: link[:3])
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
        through = [*reasons[a], *reasons.pop(b), why]
        for left in members[a]:
            for right in members[b]:
                if {left, right} != {one, other}:
                    _note_pair(notes, left, right, t_us, through)
        for name in members[b]:
            owner[name] = a
        members[a] += members.pop(b)
        reasons[a] = through


def _links(notes: Notes) -> list[tuple[int, str, str, Derive]]:
    """Give what joins two names: when, which, and why."""
    found = [
        (known[0], subject, term, known[1])
        for (relation, subject, term), known in notes.known.items()
        if relation in _LINKING and term.startswith(_SIGNERS)
    ]
    accounts: dict[str, set[str]] = defaultdict(set)
    for _, subject, term, _ in found:
        if term.startswith("account:"):
            accounts[subject].add(term)
    return [link for link in found if len(accounts[link[1]]) < 2 or not link[1].startswith("addr:")]


def _note_pair(notes: Notes, one: str, other: str, t_us: int, through: list[Derive]) -> None:
    """Note two names as one, unless it is known already; in the order of kinds, then of names."""
    first, second = sorted((one, other), key=_rank)
    if (Relation.ACTS_FOR, first, second) not in notes.known:
        notes.note(Relation.LINKED, first, second, t_us, partial(_all, tuple(through)))


def _all(through: tuple[Derive, ...]) -> Steps:
    return tuple(dict.fromkeys(step for derive in through for step in derive()))
