"""The configs of an account as a part of a client (messages 5; client-behaviour 6.3).

What changes on this device is pushed into namespaces 2 to 5 of the own swarm; what other devices pushed comes
with the polls and is merged, and a merge that makes something new is pushed again. Polls extend the life of
what the configs stand on. Groups that one device joins, leaves or administers, the others follow; what people
show of themselves is followed by all (`showing`). Contacts say who has accepted whom (`approvals`).

Command: `("config-change", ref, what, number, file)` with `what` as in `core.intents.ConfigChange`. Reading
waits until there is something unread. A change is `stored` when the swarm has taken the push that holds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from functools import partial
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import ProtocolError
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol import contents
from sessionsim.protocol.client.approvals import Approvals
from sessionsim.protocol.client.configs.avatars import AvatarUpkeep
from sessionsim.protocol.client.configs.changes import ConfigChanges
from sessionsim.protocol.client.configs.held import NAMESPACES, Held, StoredConfig
from sessionsim.protocol.client.configs.pushing import Pushing
from sessionsim.protocol.client.configs.showing import Showing
from sessionsim.protocol.client.files.sealing import address_of
from sessionsim.protocol.client.groups.standing import Place
from sessionsim.protocol.client.idling import NEVER_US, Extension
from sessionsim.protocol.client.outcomes import Outcomes
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.configs.fields import Picture
from sessionsim.protocol.configs.pushes import ExtendHashes, plan_extension
from sessionsim.protocol.configs.user_groups import JoinedGroup, Membership
from sessionsim.protocol.contents import Profile, RequestResponse, Text
from sessionsim.protocol.files.client import upload_request, uploaded
from sessionsim.protocol.files.deterministic import Purpose as FilePurpose
from sessionsim.protocol.files.deterministic import seal_file
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.namespaces import CONTACTS, USER_GROUPS, USER_PROFILE
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire import rpc, rpc_signed, rpc_write

if TYPE_CHECKING:
    from sessionsim.core.intents import File
    from sessionsim.protocol.client.configs.rules import ConfigPushRules
    from sessionsim.protocol.client.files import Files
    from sessionsim.protocol.client.groups.part import Groups
    from sessionsim.protocol.client.groups.standing import Standing
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.sealing import Opened

MOST_UNREAD: Final = 100  # Assumption: of a config; far more than are stored between two changes of keys
# Told truth where keys change. Value: bytes.
CONFIG_LOCKED: Final = "config locked"  # no key that this device holds opens it
CONFIG_UNLOCKED: Final = "config unlocked"  # a key that came later did
_KICKED = 1  # Source: libsession-util: include/session/config/user_groups.hpp (removed_status)
_MS_PER_S = 1000


class AccountConfigs:
    """The configs of an account on one device.

    Args:
        client: whose.
        rules: its platform's.
        shown: what the account tells about itself at first.
        stored: what it has pushed before the run, all of which this device has read.
        groups: the device's groups; None if it has none.
        files: moves pictures; None if it cannot, and then their address is made up.
        pictures: addresses of those that were fetched before the run.
        approvals: who has accepted whom, which the contacts say; None if the run does not ask.
        keys: those that the account's devices share, the newest first, empty outside the device group; None
            where configs are under the account's seed (hole H9 of version 2).
    """

    def __init__(
        self,
        client: Client,
        rules: ConfigPushRules,
        shown: Profile,
        stored: Iterable[StoredConfig] = (),
        groups: Groups | None = None,
        files: Files | None = None,
        pictures: Iterable[str] = (),
        approvals: Approvals | None = None,
        keys: Sequence[bytes] | None = None,
    ) -> None:
        self._client, self._rules, self._groups = client, rules, groups
        self._approvals = approvals
        if approvals is not None:
            approvals.changed, approvals.refused = self._approved, self._refused
        self.held = Held(client.suite, client.account, keys=keys)
        self._outcomes = Outcomes()
        self._pushing = Pushing(client, rules, self.held, self._outcomes)
        self._changes = ConfigChanges(client, self.held, shown.name)
        self.showing = Showing(self.held, shown, pictures, files)
        if client.rules.send_profile:
            self.showing.tellers.append(client.outbox)
            if groups is not None:
                self.showing.tellers.append(groups.talk)
        self._files = files
        self.avatars: AvatarUpkeep | None = None  # keeps what was uploaded alive
        self._readings: list[int] = []  # wishes to read that wait for something to read
        self._fetched: dict[int, list[tuple[str, bytes]]] = {namespace: [] for namespace in NAMESPACES}
        self._merged: set[str] = set()
        # What no key opens yet, and when it is to be tried again; only where keys change.
        self._shared, self._unread = keys is not None, dict[int, dict[str, bytes]]()
        self._told: set[str] = set()  # of these, by hash: told that they are locked
        self._retry_us: int | None = None
        for one in stored if self.held.has_keys else ():
            self.held.adopt([one], client.wire_ms(0))
            self._merged.add(one.hash)
            client.known[one.namespace] = one.hash
        for namespace in NAMESPACES:
            client.takers[namespace] = partial(self._take, namespace)
            client.read_to_end[namespace] = partial(self._read_to_end, namespace)
        client.readers.append(self._came)
        client.stills.append(self._still_until_us)
        if rules.extends:
            client.poll_extras.append(self._extension)
            client.extends = self._extends
        if groups is not None:
            groups.noted.append(self._noted)

    # ---- The contract of a part ----

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"config-change": self._change}

    def start(self, now_us: int) -> list[Effect]:
        self._pushing.start(now_us)
        return []

    def next_due_us(self) -> int | None:
        dues = (self._retry_us, self._pushing.next_due_us())
        return min((due for due in dues if due is not None), default=None)

    def wake(self, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        if self._retry_us is not None and self._retry_us <= now_us:
            self._retry_us = None
            for namespace in NAMESPACES:
                effects += self._merge(namespace, [*self._unread.pop(namespace, {}).items()], now_us)
                effects += self._read_to_end(namespace, now_us)
            effects += self._pushing.changed(now_us)
        return effects + self._pushing.wake(now_us)

    # ---- Keys that change ----

    def rekey(self, keys: Sequence[bytes], now_us: int, *, made_here: bool) -> None:
        """Take other keys: what did not open is tried again at once, and what waits may be pushed.

        Args:
            keys: the newest first; none outside the device group.
            made_here: this device has made the newest, so it pushes what there is again under it.
        """
        self.held.rekey(keys, push=made_here)
        self._retry_us = now_us if keys else None

    def pending(self) -> Iterable[int]:
        """Give the changes that no successful push has held yet."""
        return self._outcomes.pending()

    # ---- What the person changes ----

    def _change(self, ref: int, what: str, number: int, file: File | None, now_us: int) -> list[Effect]:
        self._outcomes.begin(ref)
        now_ms, changes = self._client.wire_ms(now_us), self._changes
        if what == "read":
            self._readings.append(ref)
            return self._read(now_us)
        if what == "name":
            changes.rename(number, now_ms)
            self.showing.compare(now_us)
        elif what == "avatar":
            if file is not None and self._files is not None:
                return self._upload(self._files, ref, number, file, now_us)
            return self._show(ref, number, now_us)
        else:
            changes.keep(number, now_ms)
        return self._pushing.changed(now_us, ref)

    def _upload(self, files: Files, ref: int, number: int, file: File, now_us: int) -> list[Effect]:
        """Upload a picture, and show it once it lies on its server."""
        client = self._client
        content = client.entropy.expand(b"picture content" + number.to_bytes(4, "little"), file.size_bytes)
        sealed = seal_file(content, client.account.ed.secret, FilePurpose.PROFILE_PICTURE)

        def up(answer: ServerAnswer | None, status: int, t_us: int) -> list[Effect]:
            try:
                if answer is None:
                    return self._outcomes.failed(ref, f"upload: status {status}")
                url = address_of(client, uploaded(answer).file_id, "deterministic")
            except ProtocolError:
                return self._outcomes.failed(ref, "upload: malformed answer")
            if self.avatars is not None:
                self.avatars.made(url, content)
            return self._show(ref, number, t_us, url, sealed.key)

        request = upload_request(sealed.blob, style=client.rules.body_style)
        note = note_of(Cause.FILE, ref)
        return files.transfers.upload(files.server, lambda _exchange, _t_us: request, note, now_us, up)

    def _show(self, ref: int, number: int, now_us: int, url: str = "", key: bytes = b"") -> list[Effect]:
        """Show another picture, which this device has."""
        self.showing.made(self._changes.show(number, self._client.wire_ms(now_us), url, key))
        return self.showing.compare(now_us) + self._pushing.changed(now_us, ref)

    def show_renewed(self, url: str, key: bytes, now_us: int) -> list[Effect]:
        """Show the same picture under the address at which it was uploaded again."""
        self.showing.made(url)
        self.held.profile.set_picture_again(Picture(url, key), self._client.wire_ms(now_us) // _MS_PER_S)
        return self.showing.compare(now_us) + self._pushing.changed(now_us)

    def _read(self, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        while self._readings and self._changes.tick_off(self._client.wire_ms(now_us)):
            effects += self._pushing.changed(now_us, self._readings.pop(0))
        return effects

    def _came(self, _message_hash: str, opened: Opened, now_us: int) -> list[Effect]:
        """See a text or a yes to a request that is shown; what this account wrote itself is read."""
        if opened.sender_id == self._client.account.id:
            return []
        try:
            message = contents.read(opened.content)
        except ProtocolError:
            return []
        said, effects = message.part, list[Effect]()
        if not isinstance(said, Text | RequestResponse):
            return []
        if said.profile is not None:
            is_news, effects = self.showing.read(opened.sender_id, said.profile, now_us)
            effects += self._pushing.changed(now_us) if is_news else []
        if isinstance(said, RequestResponse):
            return effects
        self._changes.came(opened.group_id or opened.sender_id, message.sent_ms)
        return effects + self._read(now_us)

    def _approved(self, other_id: bytes, now_us: int) -> list[Effect]:
        """Write down who has accepted whom."""
        approvals = self._approvals
        assert approvals is not None
        given, got = approvals.has_given(other_id), approvals.has_got(other_id)
        self._changes.approve(other_id, given=given, got=got, now_ms=self._client.wire_ms(now_us))
        return self._pushing.changed(now_us)

    def _refused(self, ref: int, other_id: bytes, blocks: bool, now_us: int) -> list[Effect]:
        """Write down that a request is refused."""
        self._outcomes.begin(ref)
        self._changes.refuse(other_id, blocks=blocks, now_ms=self._client.wire_ms(now_us))
        return self._pushing.changed(now_us, ref)

    # ---- What polls bring ----

    def _take(self, namespace: int, message: rpc.Retrieved, _now_us: int) -> list[Effect]:
        if message.hash not in self._merged:
            self._fetched[namespace].append((message.hash, message.data))
        return []

    def _read_to_end(self, namespace: int, now_us: int) -> list[Effect]:
        fetched = self._fetched[namespace]
        if not self.held.has_keys:
            return []
        self._fetched[namespace] = []
        return self._merge(namespace, fetched, now_us)

    def _merge(self, namespace: int, fetched: Sequence[tuple[str, bytes]], now_us: int) -> list[Effect]:
        if not fetched:
            return []
        self._merged.update(name for name, _ in fetched)
        approvals = self._approvals if namespace == CONTACTS else None
        before = {contact.id for contact in self.held.contacts} if approvals is not None else set()
        readable = self.held.by_namespace[namespace].merge(fetched, self._client.wire_ms(now_us))
        effects = self._noted_unread(namespace, fetched, readable) + self._pushing.changed(now_us)
        if approvals is not None:
            self._follow(approvals, before)
        if namespace in (USER_PROFILE, CONTACTS):
            effects += self.showing.compare(now_us)
        if namespace == USER_GROUPS and self._groups is not None:
            effects += self._groups.news.follow(tuple(self.held.groups.groups()), now_us)
        return effects

    def _follow(self, approvals: Approvals, before: Set[bytes]) -> None:
        """Take over who has accepted, refused or blocked whom. Args: before: who was a contact until now."""
        contacts = tuple(self.held.contacts)
        for gone in before - {contact.id for contact in contacts}:
            approvals.forget(gone)
        for one in contacts:
            approvals.follow(one.id, given=one.approved, got=one.approved_me, blocked=one.blocked)

    def _noted_unread(
        self, namespace: int, fetched: Sequence[tuple[str, bytes]], readable: Collection[str]
    ) -> list[Effect]:
        """Keep what a key may open that comes later, the newest of it; tell what is new or opens now."""
        if not self._shared:
            return []
        effects: list[Effect] = []
        unread = self._unread.setdefault(namespace, {})
        for name, data in fetched:
            if name not in readable:
                effects += [] if name in self._told else [(EVENT, CONFIG_LOCKED, name, len(data))]
                self._told.add(name)
                unread[name] = data
            elif name in self._told:
                self._told.discard(name)
                effects.append((EVENT, CONFIG_UNLOCKED, name, len(data)))
        while len(unread) > MOST_UNREAD:
            self._told.discard(next(iter(unread)))
            del unread[next(iter(unread))]
        return effects

    def _extension(self, now_ms: int) -> rpc.Call | None:
        """Write what a poll asks for the life of the configs; None if nothing is known to be stored."""
        client, plan = self._client, self._plan(now_ms)
        if plan is None:
            return None
        text = rpc_signed.expire_text("extend", [plan.expiry_ms], plan.hashes)
        signature = client.suite.sign(client.account.ed, text)
        return rpc_write.expire_call(
            client.body_style, self._pushing.asker, plan.hashes, [plan.expiry_ms], signature, "extend"
        )

    def _plan(self, now_ms: int) -> ExtendHashes | None:
        return plan_extension(self.held.all, now_ms, self._rules.extension_us // US_PER_MS)

    def _extends(self, now_ms: int) -> Extension | None:
        """Tell the same; see `idling`."""
        plan = self._plan(now_ms)
        return None if plan is None else Extension(plan.hashes, self._rules.extension_us)

    def _still_until_us(self, _now_us: int) -> int | None:
        """Say until when polls that bring nothing change nothing; see `Client.stills`."""
        waits = any(self._fetched.values()) or any(config.awaits_parts for config in self.held.all)
        return None if waits else NEVER_US

    # ---- Groups ----

    def _noted(self, standing: Standing, now_us: int) -> list[Effect]:
        """Write down how this account stands to a group."""
        groups, group_id = self.held.groups, standing.group_id
        if standing.place is Place.LEFT:
            groups.erase_group(group_id)
        else:
            groups.set_group(joined_of(standing, self._client.wire_ms(now_us) // _MS_PER_S))
        return self._pushing.changed(now_us)


def joined_of(standing: Standing, now_s: int) -> JoinedGroup:
    """Give what UserGroups says of a standing. Args: now_s: when it was joined, unix s."""
    membership = Membership(joined_s=now_s, invited=standing.place is Place.INVITED)
    if standing.place is Place.KICKED:
        return JoinedGroup(standing.group_id, standing.name, removed=_KICKED, membership=membership)
    seed = standing.admin.ed.secret if standing.admin is not None else b""
    return JoinedGroup(standing.group_id, standing.name, seed, standing.auth, membership=membership)
