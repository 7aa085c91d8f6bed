"""The groups of a run: their keys, what stands in their swarms when it begins, what their members hold.

A group that stood before time 0 was founded a while ago and has been quiet since: its swarm keeps the first
key and both configs, every member has read them. A group that somebody creates during the run has its keys
from here too, so that truth can name it; its creator is handed them with the command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sessionsim.core.intents import Group as GroupThatStood
from sessionsim.core.intents import GroupAction, GroupText, Wish
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.protocol.client.groups.founded import Founded, Founding, found
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.groups import Group, group_from_seed, subaccount_of
from sessionsim.protocol.groups.subaccount import signing_value
from sessionsim.protocol.identity import Account
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.swarms import nearest_swarm, swarm_position

NEEDED_FOR: Final = frozenset(("group", "group-text", "group-action"))
FOUNDED_BEFORE_MS: Final = 86_400_000  # Assumption: a day before the run
_LIFE_MS: Final = 30 * 86_400_000  # Source: messages 2.3, 4.2 (keys and configs)


class GroupSetup:
    """All groups that the wishes of a run name.

    Args:
        wishes: of the run.
        accounts: by number; names: what each is called.
        suite: cryptography.
        seeds: keys of ("group", g).
        epoch_ms: unix ms at time 0.
    """

    def __init__(
        self,
        wishes: Iterable[Wish],
        accounts: Sequence[Account],
        names: Sequence[str],
        suite: Suite,
        seeds: Seeds,
        epoch_ms: int,
    ) -> None:
        self._accounts, self._suite, self._epoch_ms = accounts, suite, epoch_ms
        self.keys: dict[int, Group] = {}
        self.foundings: dict[int, Founding] = {}
        self._founded: dict[int, list[Founded]] = {}
        for wish in wishes:
            if not isinstance(wish, GroupThatStood | GroupAction | GroupText):
                continue
            if wish.group not in self.keys:
                self.keys[wish.group] = group_from_seed(seeds.key("group", wish.group))
            if isinstance(wish, GroupThatStood):
                self._stand(wish, names)

    def _stand(self, wish: GroupThatStood, names: Sequence[str]) -> None:
        """Make what a group that stood before has left."""
        group, accounts, suite = self.keys[wish.group], self._accounts, self._suite
        founding = self.foundings[wish.group] = found(
            suite,
            group,
            wish.name,
            [(accounts[member].id, names[member]) for member in wish.members],
            [accounts[wish.sender].id],
            self._epoch_ms - FOUNDED_BEFORE_MS,
        )
        for member in wish.members:
            if member == wish.sender:
                held = Founded(founding, group)
            else:
                value = signing_value(suite, group, accounts[member].id)
                held = Founded(founding, subaccount_of(accounts[member], value), value)
            self._founded.setdefault(member, []).append(held)

    def founded_of(self, account: int) -> tuple[Founded, ...]:
        """Give the groups an account is in since before time 0, as its devices hold them."""
        return tuple(self._founded.get(account, ()))

    def fill(self, nodes: NodeList, machines: Sequence[Machine]) -> None:
        """Let the swarms keep what was stored before. Args: machines: service nodes first."""
        stored_ms = self._epoch_ms - FOUNDED_BEFORE_MS
        swarm_ids = sorted(nodes.members)
        for number, founding in sorted(self.foundings.items()):
            group_id = self.keys[number].id
            swarm = nearest_swarm(swarm_position(group_id[1:]), swarm_ids)
            for node in nodes.members[swarm] if swarm is not None else ():
                machine = machines[node]
                assert isinstance(machine, ServiceNode)
                for one in founding.stored:
                    machine.store.store(
                        group_id, one.namespace, one.hash, stored_ms, stored_ms + _LIFE_MS, one.data,
                        self._epoch_ms,
                    )  # fmt: skip

    def command(self, ref: int, wish: GroupText | GroupAction) -> tuple[Any, ...]:
        """Give what a client is told of a wish, see `protocol.client.groups.part`."""
        group = self.keys[wish.group]
        if isinstance(wish, GroupText):
            return ("group-text", ref, group.id, wish.body, wish.files)
        seed = group.ed.secret if wish.what == "create" else b""
        subjects = tuple(self._accounts[subject].id for subject in wish.subjects)
        return ("group-action", ref, group.id, wish.what, subjects, wish.name, wish.history, seed)
