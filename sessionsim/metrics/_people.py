"""Truth about people beside their messages: groups and roles, tokens, blinded ids, devices, countries."""

from __future__ import annotations

from collections import defaultdict

from sessionsim.core.ledger import Fact, Relation
from sessionsim.metrics._facts import Replicate, dotted


class People:
    """The accounts of a replicate, by every name that truth lists."""

    def __init__(self, replicate: Replicate) -> None:
        accounts, devices, names = replicate.truth.accounts, replicate.truth.devices, replicate.truth.names
        ends, owners = devices["endpoint"].tolist(), devices["account"].tolist()
        ip = dict(
            zip(replicate.endpoints["endpoint"].tolist(), replicate.endpoints["ip"].tolist(), strict=True)
        )
        address = {end: f"addr:{dotted(ip[end])}" for end in ends}
        self._owner = {f"account:{name}": k for k, name in enumerate(accounts["account_id"].tolist())}
        self._owner |= {address[end]: owner for end, owner in zip(ends, owners, strict=True)}
        self._devices = [owners.count(k) for k in range(len(accounts["account"]))]
        self._roles: dict[tuple[int, str], str] = {}
        self._group_of: dict[str, str] = {}  # token of a member -> group
        self._blinded: dict[str, int] = {}
        self._place: dict[str, set[str]] = defaultdict(set)  # address or account -> countries and zones
        accounts_of = {k: f"account:{name}" for k, name in enumerate(accounts["account_id"].tolist())}
        columns = (names[name].tolist() for name in ("account", "kind", "term", "place"))
        for account, kind, term, place in zip(*columns, strict=True):
            if kind in ("member", "admin"):
                self._roles[account, term] = kind
            elif kind == "token":
                self._owner[term], self._group_of[term] = account, place
            elif kind == "blinded":
                self._owner[term] = self._blinded[term] = account
            elif kind in ("country", "zone"):
                self._place[accounts_of[account]].add(term)
                self._place[address[int(place)]].add(term)

    def owner(self, term: str) -> int:
        """Give the account behind a name; -1 for one that truth does not list."""
        return self._owner.get(term, -1)

    def contradicts(self, fact: Fact) -> bool:
        """Tell whether truth says otherwise about who people are."""
        subject, target, owner = fact.subject, fact.object, self.owner(fact.subject)
        match fact.relation:
            case Relation.MEMBER_OF if target.startswith("group:") and self._roles:
                if subject.startswith("member:"):
                    return self._group_of.get(subject) != target
                return (owner, target) not in self._roles
            case Relation.LEADS:
                return self._roles.get((owner, target)) != "admin"
            case Relation.GIVES:
                return owner < 0 or owner != self.owner(target)
            case Relation.KNOWS:
                return owner < 0 or self.owner(target) < 0
            case Relation.LOCATED:
                return target not in self._place.get(subject, ())
            case Relation.HAS_DEVICES if subject.startswith("account:"):
                return owner < 0 or int(target.partition(":")[2]) > self._devices[owner]
            case _:
                return False

    def all(self, kind: str) -> set[str]:
        """Give every item of a kind of secret; see `_secrets`."""
        match kind:
            case "membership":
                return {f"{k}>{group}" for k, group in self._roles}
            case "office":
                return {f"{k}>{group}" for (k, group), role in self._roles.items() if role == "admin"}
            case "blinded id":
                return {f"{k}>{term}" for term, k in self._blinded.items()}
            case "token":
                return {f"{self._owner[term]}>{term}" for term in self._group_of}
            case _:
                return {str(k) for k, count in enumerate(self._devices) if count > 1}

    def items(self, fact: Fact, kind: str) -> set[str]:
        """Name what a true fact gives away of a kind of secret."""
        owner, every = self.owner(fact.subject), self.all(kind)
        if kind in ("membership", "office"):
            return {f"{owner}>{fact.object}"} & every
        if kind in ("blinded id", "token"):
            return {f"{owner}>{term}" for term in (fact.subject, fact.object)} & every
        right = fact.object == f"devices:{self._devices[owner]}" if owner >= 0 else False
        return {str(owner)} & every if right else set()
