"""Intents: somebody wants something at some time. The product of `workload`, carried out by `network`.

Each kind is a record with a time, an account that acts, and the device it acts on. `needs` names what a
client must be able to do to carry it out; a world that meets a kind that its clients cannot do refuses the
scenario. `address` names a record for good: it counts within one kind and one relation (the messages of one
account to another, the texts of one member in a group), so that switching another kind off or running longer
changes no address of a message, a call or a group. Other records point to a message by its address
(`MessageAt`); what is derived from messages has an address made of theirs.

What stood before time 0 opens the stream, at time 0: groups with their members, rooms that are read, devices
that are linked, and whether each device is online and in front. It is to be set up without traffic.

Times are those of people. A receipt, a reaction or an answer cannot happen before what it is about has
arrived; whoever carries it out waits for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple, TypeAlias

# Why a group needs a new key, and what people know of it. Source: messages 4.2 (rekey).
REKEY_REASONS: Final = ("removed", "left", "no-history")
GROUP_ACTIONS: Final = ("create", "invite", "join", "leave", "remove", "promote", "rename")
TYPING_STEPS: Final = ("start", "refresh", "stop")
CALL_OUTCOMES: Final = ("answered", "declined", "missed")
CALL_STEPS: Final = ("pre-offer", "offer", "ice", "answer", "end")  # Source: messages 2.3 (CallMessage)
PRESENCES: Final = ("online", "foreground")
DEVICE_CHANGES: Final = ("link", "leave", "remove")


class MessageAt(NamedTuple):
    """The address of a message.

    Args:
        where: "direct", "group", "room", or "inbox" for what went through a community to one reader.
        place: the recipient's account, the number of the group, or that of the room.
        author: account of who wrote it.
        number: how many this author wrote there before it.
    """

    where: str
    place: int
    author: int
    number: int


class File(NamedTuple):
    """A file that goes with a message or a profile. Args: what: "photo", "video", "voice", "file", "avatar";
    size_bytes: before encryption."""

    what: str
    size_bytes: int


class Preview(NamedTuple):
    """What the sender's client found behind a link. Args: image: its picture, None for none."""

    url_bytes: int
    title_bytes: int
    image: File | None


class Intent(NamedTuple):
    """A direct message. Args: t_us: when; sender, recipient: account numbers 0..n-1; body: the text, empty
    only with files; number: how many the sender wrote to this recipient before."""

    t_us: int
    sender: int
    recipient: int
    body: str
    number: int = 0
    files: tuple[File, ...] = ()
    preview: Preview | None = None
    device: int = 0

    @property
    def kind(self) -> str:
        return "text"

    @property
    def needs(self) -> tuple[str, ...]:
        return ("text", *_extras(self.files, self.preview))

    @property
    def address(self) -> MessageAt:
        return MessageAt("direct", self.recipient, self.sender, self.number)


@dataclass(frozen=True, slots=True)
class GroupText:
    """A message to a group: one store, read by every member. Args: number: of this writer in this group."""

    kind: ClassVar[str] = "group-text"
    t_us: int
    sender: int
    group: int
    body: str
    number: int
    files: tuple[File, ...] = ()
    preview: Preview | None = None
    device: int = 0

    @property
    def needs(self) -> tuple[str, ...]:
        return ("group-text", *_extras(self.files, self.preview))

    @property
    def address(self) -> MessageAt:
        return MessageAt("group", self.group, self.sender, self.number)


@dataclass(frozen=True, slots=True)
class Post:
    """A message to a room of a community. Args: number: of this writer in this room."""

    kind: ClassVar[str] = "post"
    t_us: int
    sender: int
    room: int
    body: str
    number: int
    files: tuple[File, ...] = ()
    preview: Preview | None = None
    device: int = 0

    @property
    def needs(self) -> tuple[str, ...]:
        return ("post", *_extras(self.files, self.preview))

    @property
    def address(self) -> MessageAt:
        return MessageAt("room", self.room, self.sender, self.number)


@dataclass(frozen=True, slots=True)
class InboxText:
    """A message to somebody who is known only by what they post in a room.

    It goes through the inbox of a pseudonym at the community's server, and makes a message request.

    Args:
        recipient: whose pseudonym it is.
        room: where the writer saw it; both read there.
        number: of this writer to this recipient through inboxes.
    """

    kind: ClassVar[str] = "inbox-text"
    t_us: int
    sender: int
    recipient: int
    room: int
    body: str
    number: int
    device: int = 0

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.kind,)

    @property
    def address(self) -> MessageAt:
        return MessageAt("inbox", self.recipient, self.sender, self.number)


@dataclass(frozen=True, slots=True)
class _Plain:
    """What all other kinds have. Args: t_us: when; sender: who acts."""

    kind: ClassVar[str]
    t_us: int
    sender: int

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.kind,)


@dataclass(frozen=True, slots=True)
class Group(_Plain):
    """A group that stood before time 0. Args: sender: its founder, an admin; members: all, ascending."""

    kind: ClassVar[str] = "group"
    group: int
    members: tuple[int, ...]
    name: str

    @property
    def address(self) -> tuple[str, int]:
        return (self.kind, self.group)


@dataclass(frozen=True, slots=True)
class Strangers(_Plain):
    """Two accounts that never had to do with each other before. Args: t_us: when one writes to the other for
    the first time; sender: who does; recipient: the other."""

    kind: ClassVar[str] = "strangers"
    recipient: int

    @property
    def address(self) -> tuple[str, int, int]:
        return (self.kind, self.sender, self.recipient)


@dataclass(frozen=True, slots=True)
class NameLookup(_Plain):
    """Somebody types another one's name to write to them; what they write then waits for the answer.

    Args:
        sender: who knows the name. recipient: whose it is.
    """

    kind: ClassVar[str] = "name-lookup"
    recipient: int
    device: int = 0

    @property
    def address(self) -> tuple[str, int, int]:
        return (self.kind, self.sender, self.recipient)


@dataclass(frozen=True, slots=True)
class Acceptance(_Plain):
    """Somebody accepts a stranger's message request. Args: sender: who accepts; recipient: the stranger;
    request: the stranger's first message to them."""

    kind: ClassVar[str] = "acceptance"
    recipient: int
    request: MessageAt
    device: int = 0

    @property
    def address(self) -> tuple[str, int, int]:
        return (self.kind, self.sender, self.recipient)


@dataclass(frozen=True, slots=True)
class Refusal(_Plain):
    """Somebody refuses a stranger's message request; the stranger hears nothing of it.

    Args:
        sender: who refuses. recipient: the stranger. request: the stranger's first message to them.
        blocks: whether what the stranger writes is dropped from then on; else it makes a request again.
    """

    kind: ClassVar[str] = "refusal"
    recipient: int
    request: MessageAt
    blocks: bool
    device: int = 0

    @property
    def address(self) -> tuple[str, int, int]:
        return (self.kind, self.sender, self.recipient)


@dataclass(frozen=True, slots=True)
class GroupAction(_Plain):
    """Somebody changes a group.

    Args:
        group: its number; "create" brings it into being.
        number: how many actions the group has seen before.
        what: one of GROUP_ACTIONS. Only admins invite, remove, promote and rename.
        subjects: whom it is about; the invited of "create" and "invite".
        name: the group's name with "create" and "rename".
        history: whether the invited shall read what was written before.
        rekey: why it makes a new key necessary, one of REKEY_REASONS, or "".
    """

    kind: ClassVar[str] = "group-action"
    group: int
    number: int
    what: str
    subjects: tuple[int, ...] = ()
    name: str = ""
    history: bool = True
    rekey: str = ""
    device: int = 0

    @property
    def address(self) -> tuple[str, int, int]:
        return (self.kind, self.group, self.number)


@dataclass(frozen=True, slots=True)
class Reader(_Plain):
    """An account that reads a room since before time 0."""

    kind: ClassVar[str] = "community"
    room: int

    @property
    def address(self) -> tuple[str, int, int]:
        return (self.kind, self.room, self.sender)


class CallSignal(NamedTuple):
    """One message of call signalling. Args: after_us: since the call began; by_caller: else by the callee;
    step: one of CALL_STEPS; body_bytes: what it carries beside its step and the call's name."""

    after_us: int
    by_caller: bool
    step: str
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Call(_Plain):
    """A call from one account to another.

    Args:
        number: of this caller to this callee.
        outcome: one of CALL_OUTCOMES.
        ring_us: from the beginning to the answer, refusal or giving up.
        talk_us: from the answer to the end; 0 unless answered.
        signals: its messages, in time order, as if none needed time to arrive.
    """

    kind: ClassVar[str] = "call"
    recipient: int
    number: int
    outcome: str
    ring_us: int
    talk_us: int
    signals: tuple[CallSignal, ...]
    device: int = 0

    @property
    def address(self) -> tuple[str, int, int, int]:
        return (self.kind, self.sender, self.recipient, self.number)


@dataclass(frozen=True, slots=True)
class Typing(_Plain):
    """A typing indicator.

    Args:
        number: of the direct message that is being typed.
        turn: which indicator for that message, from 0.
        step: one of TYPING_STEPS, of which the wire knows two: a refresh says again that typing has started.
    """

    kind: ClassVar[str] = "typing"
    recipient: int
    number: int
    turn: int
    step: str
    device: int = 0

    @property
    def address(self) -> tuple[str, int, int, int, int]:
        return (self.kind, self.sender, self.recipient, self.number, self.turn)


@dataclass(frozen=True, slots=True)
class Receipt(_Plain):
    """A read receipt. Args: recipient: who wrote what was read; read: numbers of the direct messages it
    covers, at least one, ascending; no message is covered twice."""

    kind: ClassVar[str] = "receipt"
    recipient: int
    read: tuple[int, ...]
    device: int = 0

    @property
    def address(self) -> tuple[str, int, int, int]:
        return (self.kind, self.sender, self.recipient, self.read[0])


@dataclass(frozen=True, slots=True)
class Reaction(_Plain):
    """An emoji put on a message, or taken back."""

    kind: ClassVar[str] = "reaction"
    target: MessageAt
    emoji: str
    removed: bool = False
    device: int = 0

    @property
    def address(self) -> tuple[str | int | bool, ...]:
        return (self.kind, *self.target, self.sender, self.removed)


@dataclass(frozen=True, slots=True)
class Deletion(_Plain):
    """A message is deleted for everybody, by its author."""

    kind: ClassVar[str] = "deletion"
    target: MessageAt
    device: int = 0

    @property
    def address(self) -> tuple[str | int, ...]:
        return (self.kind, *self.target)


@dataclass(frozen=True, slots=True)
class ConfigChange(_Plain):
    """Something that the account's devices share changes: what makes a client push a config.

    Args:
        config: "profile", "contacts" or "conversations" (which of them, see messages 5.1).
        what: "avatar", "name", "contact", or "read" for a conversation that was read.
        number: of this account and `what`.
        file: the new picture.
    """

    kind: ClassVar[str] = "config-change"
    config: str
    what: str
    number: int
    file: File | None = None
    device: int = 0

    @property
    def address(self) -> tuple[str, int, str, int]:
        return (self.kind, self.sender, self.what, self.number)


@dataclass(frozen=True, slots=True)
class Device(_Plain):
    """A further device of an account.

    Args:
        device: 1 or more.
        platform: what it is.
        linked: whether it was linked before time 0; one that was not comes after all those that were, and is
            offline until it is.
    """

    kind: ClassVar[str] = "device"
    device: int
    platform: str
    linked: bool = True

    @property
    def address(self) -> tuple[str, int, int]:
        return (self.kind, self.sender, self.device)


@dataclass(frozen=True, slots=True)
class Presence(_Plain):
    """A device changes between online and offline, or between foreground and background.

    The first record of each, at time 0, says how the device is then; later ones are changes.

    Args:
        what: one of PRESENCES.
        on: the new state.
        number: of this device and `what`.
    """

    kind: ClassVar[str] = "presence"
    device: int
    what: str
    on: bool
    number: int

    @property
    def needs(self) -> tuple[str, ...]:
        return ("online",) if self.what == "online" else ("presence",)

    @property
    def command(self) -> tuple[str, bool]:
        """Give what a client machine is told."""
        return (self.what, self.on)

    @property
    def address(self) -> tuple[str, int, int, str, int]:
        return (self.kind, self.sender, self.device, self.what, self.number)


@dataclass(frozen=True, slots=True)
class DeviceChange(_Plain):
    """Somebody changes which devices the account has. Both devices that this takes are in one person's hands.

    Under version 1 of the protocol an account has no list of devices: whoever has the phrase is in, so a link
    is no more than a device that goes online, and a device cannot be removed.

    Args:
        device: the one that is linked, that leaves, or that removes another.
        what: one of DEVICE_CHANGES.
        subject: number of the device that admits it, of itself, or of the one that it removes.
        number: how many such changes the account has seen before.
    """

    kind: ClassVar[str] = "device-change"
    device: int
    what: str
    subject: int
    number: int

    @property
    def address(self) -> tuple[str, int, int]:
        return (self.kind, self.sender, self.number)


Spoken: TypeAlias = Intent | GroupText | Post
Wish: TypeAlias = (
    Spoken | InboxText | Strangers | NameLookup | Acceptance | Refusal | Group | GroupAction | Reader | Call
    | Typing | Receipt | Reaction | Deletion | ConfigChange | Device | DeviceChange | Presence
)  # fmt: skip

# What a client may need to be able to do. Where times are equal, wishes stand in this order: what stood
# before, then who comes and goes, then what is said.
KINDS: Final = (
    "device", "strangers", "group", "community", "presence", "online", "device-change", "group-action",
    "name-lookup", "acceptance", "refusal", "typing", "text", "group-text", "post", "inbox-text",
    "attachment", "link-preview", "call", "receipt", "reaction", "deletion", "config-change",
)  # fmt: skip
_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}


def _extras(files: tuple[File, ...], preview: Preview | None) -> tuple[str, ...]:
    return (("attachment",) if files else ()) + (("link-preview",) if preview else ())


def order_of(wish: Wish) -> tuple[int, int, tuple[str | int | bool, ...]]:
    """Give the sort key of a stream of wishes: time, then kind, then address."""
    return (wish.t_us, _RANK[wish.kind], wish.address)


def kinds_of(wishes: Iterable[Wish]) -> frozenset[str]:
    """Give everything that clients must be able to do to carry these out."""
    return frozenset(kind for wish in wishes for kind in wish.needs)
