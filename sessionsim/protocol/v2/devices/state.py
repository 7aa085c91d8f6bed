"""What one device remembers of its account's device groups: plain data, changed by the modules beside it.

`establishing` and `leaving` begin and end membership, `linking` asks for it and grants it, `merging` takes in
the messages of others, `pushing` says what is to be sent. `device_group` is the whole, as a client holds it.
Times: `…_us` unix µs, `…_ms` unix ms as the swarm stamps messages, `…_s` unix s as records carry them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2.devices.own_keys import OwnKeys
from sessionsim.protocol.v2.devices.record import DeviceRecord, State, counted_up, cut_description
from sessionsim.protocol.v2.devices.requests import IncomingRequest, OwnRequests
from sessionsim.protocol.v2.devices.roster import Roster
from sessionsim.protocol.v2.devices.seen_groups import SeenGroups
from sessionsim.protocol.v2.keys import HybridKeys, account_keys
from sessionsim.protocol.v2.rules import V2Rules
from sessionsim.protocol.v2.seed_ring import AccountSeed, SeedRing


@dataclass(frozen=True, slots=True)
class About:
    """What a device tells about itself. Args: kind: `IOS` …; version: see `record.version_number`."""

    description: str = ""
    kind: bytes = b""
    version: int = 0


@dataclass(slots=True)
class GroupState:
    """One device.

    Args:
        device_id: 32 bytes; another one after a removal.
        keys: its own keys.
        roster, seeds: of the group it is in, or was last in.
        groups: all groups it has seen.
        own, incoming: requests to join, made and received.
        group_id: of the group it is in; empty outside.
        read_ms: time of the newest message of the group that it could read.
        displaced_ms: time of a message from which it had to conclude that another holds its place.
        merged: swarm's hashes of the messages whose contents our next push carries.
        distributed, published: account seeds that a group message, or the public record, is known to carry.
        broadcast: devices whose change of state is still to be told.
        pushed_seqno: of our own record in our last push.
        fetched: whether the swarm has been read at all.
        rotations: changes of the account's keys made here and not told yet: when the seeds that they
            replaced were made, unix s.
        made: the seed that was made here last; empty for none.
        left: whether this device has left its group; the others know its id as gone for good.
        draws: how often something random was drawn.
        expanded: the seeds last asked for, and their keys.
    """

    suite: Suite
    account: Account
    entropy: Entropy
    rules: V2Rules
    about: About
    device_id: bytes
    keys: OwnKeys
    roster: Roster = field(default_factory=Roster)
    seeds: SeedRing = field(default_factory=SeedRing)
    groups: SeenGroups = field(default_factory=SeenGroups)
    own: OwnRequests = field(default_factory=OwnRequests)
    incoming: list[IncomingRequest] = field(default_factory=list)
    group_id: bytes = b""
    read_ms: int | None = None
    displaced_ms: int | None = None
    merged: dict[str, None] = field(default_factory=dict)
    distributed: set[bytes] = field(default_factory=set)
    published: set[bytes] = field(default_factory=set)
    broadcast: set[bytes] = field(default_factory=set)
    pushed_seqno: int | None = None
    fetched: bool = False
    rotations: list[int] = field(default_factory=list)
    made: bytes = b""
    left: bool = False
    draws: int = 0
    expanded: tuple[tuple[AccountSeed, ...], tuple[HybridKeys, ...]] = ((), ())

    @property
    def own_state(self) -> State:
        """What this device is to its group."""
        held = self.roster.state(self.device_id)
        return State.UNREGISTERED if held is None else held

    @property
    def is_member(self) -> bool:
        """In the group, as far as it knows, and not displaced."""
        return self.displaced_ms is None and self.own_state is State.REGISTERED

    @property
    def account_keys(self) -> tuple[HybridKeys, ...]:
        """The account's keys, active and retained; the same object until the seeds change."""
        held = self.seeds.held
        if self.expanded[0] is not held:
            self.expanded = held, tuple(account_keys(self.suite, one.seed) for one in held)
        return self.expanded[1]

    def draw(self, purpose: bytes, size_bytes: int = 32) -> bytes:
        """Give fresh random bytes."""
        self.draws += 1
        return self.entropy.expand(purpose + self.draws.to_bytes(8, "little"), size_bytes)

    def own_record(self, seqno: int, updated_s: int) -> DeviceRecord:
        """Write this device's record, with its current keys."""
        about, text = self.about, self.about.description
        description = cut_description(text) if self.rules.description_rule == "cut" else text.encode()
        return DeviceRecord(
            seqno, updated_s, self.keys.current.public, description, about.kind, about.version
        )

    def write_own_record(self, now_us: int) -> None:
        """Count this device's record up, with what has changed; its state stays."""
        held = self.roster.record(self.device_id)
        seqno = 1 if held is None else counted_up(held.seqno)
        record = self.own_record(seqno, now_us // US_PER_S)
        self.roster.write(self.device_id, record, self.own_state)

    def rotate_account(self, now_us: int) -> None:
        """Change the account's keys, and forget those whose time is over."""
        replaced = self.seeds.active
        self.made = self.seeds.rotate(self.draw(b"account seed"), now_us // US_PER_S).seed
        if replaced is not None:
            self.rotations.append(replaced.created_s)
        self.drop_lapsed_seeds(now_us)

    def drop_lapsed_seeds(self, now_us: int) -> None:
        """Forget account seeds that were changed too long ago."""
        for held in self.seeds.drop_lapsed(
            now_us // US_PER_S, self.rules.account_key_retention_us // US_PER_S
        ):
            self.distributed.discard(held.seed)
            self.published.discard(held.seed)

    def forget_group(self) -> None:
        """Forget the group and its keys, which are carried into no other group."""
        self.roster.clear()
        self.seeds.clear()
        self.group_id, self.read_ms, self.displaced_ms, self.pushed_seqno = b"", None, None, None
        for held in (self.merged, self.distributed, self.published, self.broadcast, self.incoming):
            held.clear()
