"""One device of an account, as a client holds it: all about device groups in one object (protocol-v2 8, 9).

Pure state: messages and times go in, messages to be sent come out; nothing here waits or talks to a swarm.
What the client does around it: it reads namespace 21 with its polls and hands over each message
(`receive`), says when a fetch is complete (`fetched`), then pushes what is owed (`needs_push`), always in
this order, so that a push carries what the fetch brought; it wakes up at `next_due_us` and calls `act`. If
a direct message does not open, it fetches namespace 21 and tries again: a device that was away learns new
account keys only from there. All times are unix µs, those of the swarm unix ms.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.v2.devices import establishing, leaving, linking, pushing
from sessionsim.protocol.v2.devices.link_request import NotForUs
from sessionsim.protocol.v2.devices.linking import Asked
from sessionsim.protocol.v2.devices.membership import Membership, membership
from sessionsim.protocol.v2.devices.merging import Taken, take_group_message
from sessionsim.protocol.v2.devices.own_keys import OwnKeys
from sessionsim.protocol.v2.devices.pushing import Departure, Needs, Push
from sessionsim.protocol.v2.devices.record import DEVICE_ID_BYTES, DeviceRecord, State
from sessionsim.protocol.v2.devices.requests import Admission, IncomingRequest, OwnRequest
from sessionsim.protocol.v2.devices.seen_groups import SeenGroup
from sessionsim.protocol.v2.devices.state import About, GroupState
from sessionsim.protocol.v2.keys import HybridKeys
from sessionsim.protocol.v2.rotation import rotation_due_us
from sessionsim.protocol.v2.rules import PUBLIC, V2Rules
from sessionsim.protocol.v2.seed_ring import AccountSeed

# How messages of namespace 21 begin; the key of the type is empty and therefore the first.
_GROUP_START, _LINK_START = b"d0:1:G", b"d0:1:L"


class Rotated(NamedTuple):
    """What was due and has been done. Args: account: the account's keys; device: this device's."""

    account: bool
    device: bool


class DeviceGroup:
    """One device; in no group until it establishes one, or joins.

    Args:
        suite, account: the account's root key signs all messages.
        entropy: of this device alone.
        now_us: when the device is set up, unix µs.
        rules: holes and times, see `rules`.
        about: what it tells about itself.
    """

    def __init__(
        self,
        suite: Suite,
        account: Account,
        entropy: Entropy,
        now_us: int,
        rules: V2Rules = PUBLIC,
        about: About | None = None,
    ) -> None:
        device_id = entropy.expand(b"first device id", DEVICE_ID_BYTES)
        keys = OwnKeys(suite, entropy.expand(b"first device seed", 32), now_us)
        self._state = GroupState(suite, account, entropy, rules, about or About(), device_id, keys)

    # ---- What is known ----

    @property
    def device_id(self) -> bytes:
        """This device's id; another one after `renew_identity`."""
        return self._state.device_id

    @property
    def group_id(self) -> bytes:
        """Id of the group it is in, or was removed from; empty for none."""
        return self._state.group_id

    @property
    def is_member(self) -> bool:
        """In a group and not displaced."""
        return self._state.is_member

    @property
    def account_keys(self) -> tuple[HybridKeys, ...]:
        """The account's keys, the active ones first, for `receiving.open_message`."""
        return self._state.account_keys

    @property
    def device_keys(self) -> list[HybridKeys]:
        """This device's own keys, the current ones first."""
        return self._state.keys.all

    @property
    def device_seeds(self) -> tuple[bytes, ...]:
        """The seeds of this device's own keys, the current one first."""
        return self._state.keys.seeds

    @property
    def seeds(self) -> tuple[AccountSeed, ...]:
        """The account's seeds, the active one first."""
        return self._state.seeds.held

    @property
    def requests(self) -> tuple[IncomingRequest, ...]:
        """Requests of other devices that wait for the person's answer."""
        return tuple(self._state.incoming)

    @property
    def own_request(self) -> OwnRequest | None:
        """The request whose emoji the person sees here."""
        return self._state.own.newest

    def devices(self) -> dict[bytes, State]:
        """Give every known device and what it is to the group."""
        roster = self._state.roster
        return {device_id: roster.member(device_id).state for device_id in roster}

    def record(self, device_id: bytes) -> DeviceRecord | None:
        """Give what a device says about itself, if it is known."""
        return self._state.roster.record(device_id)

    @property
    def unstated_removals(self) -> int:
        """How many removals a message of this device would leave out (hole H7)."""
        return pushing.unstated_removals(self._state)

    def removed_s(self, device_id: bytes) -> int:
        """Give when a known device went, unix s; 0 if it has not."""
        return self._state.roster.member(device_id).removed_s

    def membership(self, now_us: int) -> Membership:
        """Say how this device stands to the groups of its account."""
        return membership(self._state, now_us)

    @property
    def was_fetched(self) -> bool:
        """Whether the swarm has ever been read to the end."""
        return self._state.fetched

    def next_expiry_us(self, now_us: int) -> int | None:
        """Give when one of these groups expires next, unless it is seen again, unix µs; None for never."""
        t_ms = self._state.groups.next_expiry_ms(now_us // US_PER_MS)
        return None if t_ms is None else t_ms * US_PER_MS

    def groups(self, now_us: int) -> list[SeenGroup]:
        """Give the groups to be seen in the swarm, the newest first."""
        return self._state.groups.alive(now_us // US_PER_MS)

    # ---- Messages ----

    def receive(
        self, raw: bytes, message_hash: str, stored_ms: int, expires_ms: int, now_us: int
    ) -> Taken | IncomingRequest | None:
        """Take in a message of namespace 21.

        Args:
            raw: any bytes.
            message_hash, stored_ms, expires_ms: as the swarm gives them with it.

        Returns:
            For a device group message what came of it; for a link request what to show to the person, or
            None if there is nothing to show.

        Raises:
            CannotOpen: not signed by the account. RemoteProtocolError: neither of the two, or malformed.
        """
        if raw.startswith(_GROUP_START):
            admission = Admission(raw, message_hash, stored_ms, expires_ms)
            return take_group_message(self._state, admission, now_us)
        if not raw.startswith(_LINK_START):
            raise RemoteProtocolError("neither a device group message nor a link request")
        try:
            return linking.take_link_request(self._state, raw, message_hash, expires_ms * US_PER_MS)
        except NotForUs:
            return None

    def fetched(self) -> None:
        """Note that the swarm has been read to the end."""
        self._state.fetched = True

    def needs_push(self) -> Needs:
        """Say what is owed to the swarm; to be asked after a complete fetch."""
        return pushing.needs_push(self._state)

    def build_push(self, now_us: int) -> Push:
        """Write the group's message. Raises LocalProtocolError: not a member."""
        return pushing.build_push(self._state, now_us)

    def confirm_push(self, push: Push, message_hash: str, now_us: int) -> None:
        """Note that a push is stored under a hash."""
        pushing.confirm_push(self._state, push, message_hash, now_us)

    def build_record(self) -> bytes:
        """Write the account's public record. Raises LocalProtocolError: no active keys."""
        return pushing.build_record(self._state)

    def see_record(self, raw: bytes) -> bool:
        """Take in the account's public record; see `pushing.see_record`. Raises RemoteProtocolError."""
        return pushing.see_record(self._state, raw)

    # ---- Time ----

    def account_due_us(self) -> int | None:
        """Give when this device has to change the account's keys; None if it is no member."""
        state, active = self._state, self._state.seeds.active
        if not state.is_member or active is None:
            return None
        count = len(state.roster.registered)
        return rotation_due_us(state.device_id, active.seed, active.created_s, count, state.rules)

    def device_due_us(self) -> int | None:
        """Give when this device has to change its own keys; None for never, or if it is no member."""
        state = self._state
        return state.keys.due_us(state.device_id, state.rules) if state.is_member else None

    def next_due_us(self) -> int | None:
        """Give when `act` has something to change next; None for never."""
        return min(filter(None, (self.account_due_us(), self.device_due_us())), default=None)

    def lapse_due_us(self) -> int | None:
        """Give when the time of a retained key is over next, unix µs; None if there is none."""
        state = self._state
        kept_s = state.rules.account_key_retention_us // US_PER_S
        # Seeds are in order of change, the last one changed first; one is dropped a second after its time.
        oldest = state.seeds.held[-1].rotated_s if state.seeds.held else None
        seed_us = None if oldest is None else (oldest + kept_s + 1) * US_PER_S
        return min(filter(None, (seed_us, state.keys.lapse_us)), default=None)

    def lapse(self, now_us: int) -> None:
        """Forget what has lapsed."""
        state = self._state
        state.drop_lapsed_seeds(now_us)
        state.keys.drop_lapsed(now_us)
        state.incoming = [request for request in state.incoming if request.expires_us > now_us]
        linking.lapse_request(state, now_us)

    def act(self, now_us: int) -> Rotated:
        """Do what is due: change keys, forget what has lapsed."""
        account_due_us, device_due_us = self.account_due_us(), self.device_due_us()
        rotated = Rotated(
            account_due_us is not None and account_due_us <= now_us,
            device_due_us is not None and device_due_us <= now_us,
        )
        if rotated.account:
            self.rotate_account_keys(now_us)
        if rotated.device:
            self.rotate_device_keys(now_us)
        self.lapse(now_us)
        return rotated

    def rotate_account_keys(self, now_us: int) -> None:
        """Change the account's keys now."""
        self._state.rotate_account(now_us)

    def rotate_device_keys(self, now_us: int) -> None:
        """Change this device's own keys now; its record changes with them."""
        self._state.keys.rotate(self._state.draw(b"device seed"), now_us)
        if self._state.roster.record(self.device_id) is not None:
            self._state.write_own_record(now_us)

    def describe(self, about: About, now_us: int) -> None:
        """Change what this device tells about itself; nothing happens if it is the same."""
        if about == self._state.about:
            return
        self._state.about = about
        if self._state.roster.record(self.device_id) is not None:
            self._state.write_own_record(now_us)

    def take_rotations(self) -> tuple[int, ...]:
        """Give the changes of the account's keys that this device has made since the last call.

        Returns:
            For each, when the seed that it replaced was made, unix s; the first seed of all is no change.
        """
        found = tuple(self._state.rotations)
        self._state.rotations.clear()
        return found

    @property
    def untold_rotations(self) -> int:
        """How many changes `take_rotations` would give."""
        return len(self._state.rotations)

    @property
    def made_active(self) -> bool:
        """Say whether the active account seed was made here."""
        active = self._state.seeds.active
        return active is not None and active.seed == self._state.made

    # ---- What the person decides ----

    def establish(self, now_us: int) -> bytes:
        """Make the group of a new account; gives its id. Raises LocalProtocolError: in a group already."""
        return establishing.establish(self._state, now_us)

    def start_group(self, now_us: int) -> bytes:
        """Make another group; gives its id. Raises LocalProtocolError: see `establishing.start_group`."""
        return establishing.start_group(self._state, now_us)

    def renew_identity(self, now_us: int) -> bool:
        """Take a new id after a removal, displacement or departure. Returns whether there was a reason to."""
        return establishing.renew_identity(self._state, now_us)

    def request_link(self, group_id: bytes, now_us: int) -> Asked:
        """Ask to join a group. Raises LocalProtocolError, CannotOpen: see `linking.request_link`."""
        return linking.request_link(self._state, group_id, now_us)

    def request_stored(self, asked_s: int, stored: bool, now_us: int) -> None:
        """Note whether the swarm took our request."""
        linking.request_stored(self._state, asked_s, stored, now_us)

    def confirm_link(self, now_us: int) -> Taken | None:
        """Note that the person has found the same emoji on both devices.

        Returns:
            What came of an admission that was held; None if none was, or if nothing was asked.
        """
        state = self._state
        newest = state.own.newest
        if newest is None or not linking.is_asking(state, now_us):
            return None
        state.own.change(newest, replace(newest, confirmed=True))
        return None if newest.held is None else take_group_message(state, newest.held, now_us)

    def accept(self, request: IncomingRequest, now_us: int) -> bool:
        """Admit a device. Returns whether it is admitted; see `linking.accept_request`."""
        return linking.accept_request(self._state, request, now_us)

    def ignore(self, request: IncomingRequest) -> bool:
        """Do not admit a device. Returns whether the request was open."""
        return linking.ignore_request(self._state, request)

    def remove_device(self, device_id: bytes, now_us: int) -> bool:
        """Kick a device out and rotate. Returns whether it was done; see `leaving.remove_device`."""
        return leaving.remove_device(self._state, device_id, now_us)

    def leave(self, now_us: int) -> Departure:
        """Leave the group. Raises LocalProtocolError: not a member."""
        return leaving.leave_group(self._state, now_us)

    def dismiss_group(self, group_id: bytes) -> bool:
        """Do not be alerted about another group. Returns whether it is known."""
        return self._state.groups.dismiss(group_id)
