"""Configs: versions, diffs, parts, wrappers; encrypted with the right key, merged, read by their kinds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.configs import (
    KINDS,
    Config,
    Kind,
    group_config,
    kinds,
    merging,
    sealing,
    user_config,
    values,
    wrapping,
)
from sessionsim.protocol.configs.contacts import Contact, Contacts
from sessionsim.protocol.configs.conversations import Conversation, Conversations
from sessionsim.protocol.configs.diffs import apply, read_diff
from sessionsim.protocol.configs.dumps import read_dump
from sessionsim.protocol.configs.fields import Picture, Room
from sessionsim.protocol.configs.group_info import GroupInfo
from sessionsim.protocol.configs.group_members import GroupMembers, Member
from sessionsim.protocol.configs.message import ConfigMessage, Draft, read_message
from sessionsim.protocol.configs.parts import MAX_CHUNK_BYTES, Assembly, read_part, split
from sessionsim.protocol.configs.user_groups import JoinedGroup, JoinedRoom, LegacyGroup, UserGroups
from sessionsim.protocol.configs.user_profile import UserProfile
from sessionsim.protocol.versions.v1 import encrypt_deterministic
from sessionsim.protocol.wire import bencode, compression, envelope
from sessionsim.protocol.wire.session_pb2 import Content, SharedConfigMessage
from tests.fuzz.decoder import Decoder, whole
from tests.fuzz.table._keys import FAST, FRIEND, GROUP, NOW_MS, NOW_S, OWN, SERVER_X, SODIUM, STRANGER, noise

_PICTURE = Picture("http://filev2.getsession.org/file/1", noise("picture", 32))
_ROOM = Room("https://open.getsession.org", "lobby")
GROUP_KEY = noise("group key", 32)


def new(kind: Kind) -> Config:
    """Give an empty config of a kind, for somebody who may write."""
    if kind.of_group:
        return group_config(kind, FAST, GROUP.ed.public, [GROUP_KEY], GROUP.ed)
    return user_config(kind, FAST, OWN)


def filled(kind: Kind, round_: int = 1) -> Config:
    """Give a config that says something."""
    config = new(kind)
    if kind is kinds.USER_PROFILE:
        profile = UserProfile(config)
        profile.set_name(f"Ann {round_}", NOW_S)
        profile.set_picture(_PICTURE, NOW_S)
        profile.set_note_timer(60)
    elif kind is kinds.CONTACTS:
        for who in (FRIEND, STRANGER)[:round_]:
            Contacts(config).set(Contact(who.id, "Bob", "B", _PICTURE, True, expiry_mode=1, timer_s=5))
    elif kind is kinds.CONVERSATIONS:
        Conversations(config).set(Conversation(FRIEND.id, NOW_MS, True), NOW_MS)
        Conversations(config).set(Conversation(_ROOM, NOW_MS - round_, server_key=SERVER_X), NOW_MS)
        Conversations(config).set(Conversation(OWN.id, NOW_MS, legacy=True), NOW_MS)
    elif kind is kinds.USER_GROUPS:
        groups = UserGroups(config)
        groups.set_group(JoinedGroup(GROUP.id, f"club {round_}", GROUP.ed.secret))
        groups.set_room(JoinedRoom(_ROOM, SERVER_X))
        groups.set_legacy(
            LegacyGroup(OWN.id, "old", bytes(32), bytes(32), frozenset({OWN.id}), frozenset({FRIEND.id}))
        )
    elif kind is kinds.GROUP_INFO:
        GroupInfo(config).set_name(f"club {round_}")
        GroupInfo(config).set_picture(_PICTURE)
    else:
        for who in (FRIEND, STRANGER)[:round_]:
            GroupMembers(config).set(Member(who.id, "Bob", _PICTURE))
    return config


def _raw_of(config: Config, pushes: int = 1) -> bytes:
    """Give the bytes of a version, after some pushes."""
    for k in range(pushes):
        config.set(b"n", to=b"name %d" % k)
        push = config.push(NOW_MS)
        config.confirm_pushed(push.seqno, [f"{k}" * 43])
    config.set(b"n", to=b"last")
    return config._finished().raw


RAWS = {kind: (_raw_of(filled(kind), 0), _raw_of(filled(kind, 2), 6)) for kind in KINDS.values()}
_SIGNATURE = b"1:~64:"


def _view(config: Config) -> object:
    """Read everything a typed view gives."""
    kind = config.kind
    if kind is kinds.USER_PROFILE:
        profile = UserProfile(config)
        return (
            *(profile.name, profile.picture, profile.note_priority, profile.note_timer_s),
            *(profile.blinded_requests, profile.updated_s),
        )
    if kind is kinds.CONTACTS:
        contacts = Contacts(config)
        return [*contacts, *(contacts.get(who.id) for who in (FRIEND, OWN))], len(contacts)
    if kind is kinds.CONVERSATIONS:
        conversations = Conversations(config)
        found = list(conversations)
        conversations.prune(NOW_MS)
        return found, conversations.get(_ROOM), conversations.get(FRIEND.id)
    if kind is kinds.USER_GROUPS:
        groups = UserGroups(config)
        return (
            [*groups.groups(), *groups.rooms(), *groups.legacies()],
            groups.room(_ROOM),
            groups.group(GROUP.id),
            groups.legacy(OWN.id),
        )
    if kind is kinds.GROUP_INFO:
        info = GroupInfo(config)
        return (
            *(info.name, info.description, info.picture, info.timer_s, info.created_s, info.delete_before_s),
            *(info.delete_attachments_before_s, info.destroyed),
        )
    members = GroupMembers(config)
    return [*members, members.get(FRIEND.id)], len(members)


def _stored(kind: Kind, message: bytes) -> bytes:
    """Encrypt any message with the key of a config."""
    key = GROUP_KEY if kind.of_group else OWN.ed.secret
    return sealing.encrypt(sealing.pad(message), key, kind.domain)


def _signed(kind: Kind, raw: bytes) -> bytes:
    """Sign a version as the group would, if it is a group's."""
    if not kind.of_group:
        return raw
    body = raw[: raw.rfind(_SIGNATURE)] if _SIGNATURE in raw else raw[:-1]
    return body + _SIGNATURE + FAST.sign_stored(GROUP.ed, body) + b"e"


def _merge(kind: Kind) -> Callable[[bytes], object]:
    """Merge any bytes into a config that has a change of its own; read, change, push, dump, load."""

    def run(raw: bytes) -> object:
        config = filled(kind)
        accepted = config.merge([("A" * 43, _stored(kind, _signed(kind, raw)))], NOW_MS)
        if not accepted:
            raise CannotOpen("not accepted")
        seen = _view(config)
        config.set(b"n", to=b"changed")
        push = config.push(NOW_MS)
        other = new(kind)
        if len(other.merge([(f"{k:043}", part) for k, part in enumerate(push.parts)], NOW_MS)) != len(
            push.parts
        ):
            raise AssertionError("another device cannot read what this one pushed")
        if other.data != config.data:
            raise AssertionError("another device reads something else")
        again = new(kind)
        again.load(config.dump(NOW_MS), NOW_MS)
        if again.data != config.data:
            raise AssertionError("after a restart there is something else")
        return seen, push.parts

    return run


def _fetched(kind: Kind) -> Callable[[bytes], object]:
    """Let a config fetch any bytes."""
    numbers = count()
    config = filled(kind)

    def run(raw: bytes) -> object:
        if not config.merge([(f"{next(numbers):043}", raw)], NOW_MS):
            raise CannotOpen("not accepted")
        return config.data

    return run


def _parted(raw: bytes) -> object:
    """Give an assembly a part of any bytes, beside others that wait."""
    assembly = Assembly(1000, 1000)
    for part in _PARTS[1:]:
        assembly.add("A" * 43, part, NOW_MS)
    taken = assembly.add("B" * 43, raw, NOW_MS)
    return taken, assembly.dump(), assembly.waiting_hashes()


_LONG = noise("long", 2 * MAX_CHUNK_BYTES + 5)
_PARTS = tuple(split(_LONG))
_SHORT_PART = b"m" + bencode.encode([noise("whole", 32), b"\x01", b"\x03", b"chunk"]) + b"\0\0"
_TREE = {b"n": 5, b"s": [1, 2, b"", b"a"], b"d": {b"x": b"y"}}
_DIFF = {b"n": b"", b"gone": b"-", b"s": [[1, b"a"], [3]], b"d": {b"x": b""}}
_WHOLE = values.read_tree(_TREE)
_DUMP = filled(kinds.CONTACTS, 2).dump(NOW_MS)


def _applied(raw: bytes) -> object:
    diff = read_diff(bencode.decode(raw))
    tree = values.copied(_WHOLE)
    apply(tree, diff, _WHOLE)
    values.prune(tree)
    return diff, tree


def _merged(raw: bytes) -> object:
    """Merge a version of any bytes with others that were made apart."""
    given = read_message(raw)
    others = [read_message(one) for one in RAWS[kinds.CONTACTS]]
    outcome = merging.merge([given, *others])
    return read_message(outcome.finish().raw) if isinstance(outcome, Draft) else outcome


def _loaded(raw: bytes) -> object:
    config = new(kinds.CONTACTS)
    config.load(raw, NOW_MS)
    return config.dump(NOW_MS)


def _part_fetched(raw: bytes) -> object:
    """Let a config fetch a part of any bytes, after the others of its set."""
    config = new(kinds.CONTACTS)
    stored = [sealing.encrypt(part, OWN.ed.secret, b"Contacts") for part in (*_PARTS[1:], b"m" + raw)]
    if f"{2:043}" not in config.merge([(f"{k:043}", part) for k, part in enumerate(stored)], NOW_MS):
        raise CannotOpen("not accepted")
    return config.active_hashes(NOW_MS)


def _wrapped(content: bytes) -> object:
    """Wrap any Content."""
    sealed = encrypt_deterministic(FAST, OWN, OWN.x.public, content + b"\x80")
    return wrapping.unwrap(FAST, OWN, kinds.CONTACTS, envelope.wrap(sealed, 1, bytes(64)))


def _frames(raw: bytes) -> object:
    return _merge(kinds.CONTACTS)(b"z" + raw)


def _version(message: ConfigMessage) -> object:
    return message.version, message.raw


_CONTACTS = kinds.CONTACTS
_VERIFY = lambda signed, signature: SODIUM.verify_stored(GROUP.ed.public, signed, signature)  # noqa: E731
_WRAPPED = wrapping.wrap(FAST, OWN, _CONTACTS, 3, _stored(_CONTACTS, RAWS[_CONTACTS][0]))
_SEALED = {kind: _stored(kind, RAWS[kind][0]) for kind in KINDS.values()}
_KEY = OWN.ed.secret
_SHARED = Content(
    sharedConfigMessage=SharedConfigMessage(kind=2, seqno=3, data=b"config")
).SerializeToString()  # type: ignore[arg-type]

DECODERS = (
    Decoder(
        "configs.values.read_tree",
        "bencode",
        lambda raw: values.read_tree(bencode.decode(raw)),
        (bencode.encode(_TREE),),
    ),
    Decoder(
        "configs.values.read_scalars",
        "bencode",
        lambda raw: values.read_scalars(bencode.decode(raw)),
        (b"li1ei5e0:1:ae",),
        share=1,
    ),
    Decoder("configs.diffs.read_diff", "bencode", _applied, (bencode.encode(_DIFF),)),
    Decoder(
        "configs.message.read_message",
        "bencode",
        read_message,
        tuple(raws[1] for raws in RAWS.values()),
        share=6,
        growth=20,
    ),
    Decoder(
        "configs.message.read_message/signed",
        "bencode",
        lambda raw: read_message(_signed(kinds.GROUP_INFO, raw), verify=_VERIFY),
        RAWS[kinds.GROUP_INFO],
        share=1,
        growth=20,
    ),
    Decoder(
        "configs.message.read_message/to verify",
        "bencode",
        lambda raw: read_message(raw, verify=_VERIFY),
        RAWS[kinds.GROUP_INFO],
        share=1,
        growth=20,
        genuine=_version,
    ),
    Decoder("configs.merging.merge", "bencode", _merged, RAWS[_CONTACTS], share=2, growth=40),
    *(
        Decoder(
            f"configs.config.Config.merge/{kind.domain.decode()}",
            "bencode",
            _merge(kind),
            RAWS[kind],
            errors=(CannotOpen,),
            share=1,
            growth=60,
            base=10_000,
        )
        for kind in KINDS.values()
    ),
    Decoder(
        "configs.config.Config.merge/frame",
        "zstd",
        _frames,
        tuple(map(compression.compress, RAWS[_CONTACTS])),
        errors=(CannotOpen,),
        share=1,
        growth=200,
        base=20_000,
    ),
    *(
        Decoder(
            f"configs.config.Config.merge/{kind.domain.decode()} fetched",
            "raw",
            _fetched(kind),
            (_SEALED[kind], *((_WRAPPED,) if kind is _CONTACTS else ())),
            errors=(CannotOpen,),
            share=1,
            base=10_000,
        )
        for kind in (_CONTACTS, kinds.GROUP_MEMBERS)
    ),
    Decoder(
        "configs.config.Config.merge/part",
        "bencode",
        _part_fetched,
        (_SHORT_PART[1:],),
        errors=(CannotOpen,),
        share=1,
    ),
    Decoder("configs.wrapping.unwrap/inside", "protobuf", _wrapped, (_SHARED,), share=1),
    Decoder(
        "configs.parts.read_part", "bencode", lambda raw: read_part(b"m" + raw), (_SHORT_PART[1:],), share=2
    ),
    Decoder(
        "configs.parts.Assembly.add",
        "bencode",
        lambda raw: _parted(b"m" + raw),
        (_SHORT_PART[1:], _PARTS[0][1:]),
        share=1,
        base=400_000,
    ),
    Decoder(
        "configs.sealing.unpad",
        "raw",
        lambda raw: sealing.unpad(raw),
        (sealing.pad(b"d1:#i1ee"),),
        errors=(),
        share=1,
    ),
    Decoder(
        "configs.sealing.decrypt",
        "raw",
        lambda raw: sealing.decrypt(raw, _KEY, b"Contacts"),
        (_SEALED[_CONTACTS],),
        errors=(CannotOpen,),
        share=2,
        genuine=whole,
    ),
    Decoder(
        "configs.sealing.decrypt_with_any",
        "raw",
        lambda raw: sealing.decrypt_with_any(raw, [bytes(32), _KEY], b"Contacts"),
        (_SEALED[_CONTACTS],),
        errors=(CannotOpen,),
        share=1,
        genuine=whole,
    ),
    Decoder(
        "configs.wrapping.unwrap",
        "protobuf",
        lambda raw: wrapping.unwrap(FAST, OWN, _CONTACTS, raw),
        (_WRAPPED,),
        share=1,
        genuine=whole,
    ),
    Decoder(
        "configs.wrapping.unwrapped",
        "protobuf",
        lambda raw: wrapping.unwrapped(FAST, OWN, _CONTACTS, raw),
        (_WRAPPED,),
        errors=(),
        share=1,
    ),
    Decoder("configs.dumps.read_dump", "bencode", read_dump, (_DUMP,), errors=(LocalProtocolError,), share=2),
    Decoder(
        "configs.config.Config.load",
        "bencode",
        _loaded,
        (_DUMP,),
        errors=(LocalProtocolError,),
        share=1,
        base=10_000,
    ),
)
