"""One config on one device: read it, change it, push it, merge what others pushed, keep it on disk.

    clean    the swarm holds what the device holds
    dirty    there is a change that is in no push yet; one seqno, however many changes
    waiting  a push was made and is not confirmed

A change makes the config dirty and what is stored obsolete. `push` gives the bytes to store and the hashes
to delete; `confirm_pushed` says under which hashes the swarm keeps them. `merge` takes what was fetched; if
versions conflict, the result is dirty and must be pushed again. A member of a group cannot sign: it reads,
and takes the highest version.
Source: messages 5.2 to 5.7; libsession-util: src/config/base.cpp.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.configs.dumps import Dump, State, read_dump, write_dump
from sessionsim.protocol.configs.kinds import Kind
from sessionsim.protocol.configs.merging import merge
from sessionsim.protocol.configs.message import (
    ConfigMessage,
    Draft,
    Signer,
    first_message,
    next_draft,
    read_message,
)
from sessionsim.protocol.configs.rules import ConfigRules
from sessionsim.protocol.configs.storing import MAX_CONFIG_BYTES, Opened, Storing
from sessionsim.protocol.configs.values import Tree, Value, checked
from sessionsim.protocol.crypto import KeyPair, Suite
from sessionsim.protocol.crypto.aead import KEY_BYTES
from sessionsim.protocol.identity import Account


class Push(NamedTuple):
    """What to store, and what to delete once it is stored.

    Args:
        seqno: of the version; goes back into `confirm_pushed`.
        parts: one message, or the parts of a large one.
        obsolete: storage hashes, ascending.
    """

    seqno: int
    parts: tuple[bytes, ...]
    obsolete: tuple[str, ...]


class Config:
    """One config on one device. Make it with `user_config` or `group_config`.

    Args:
        kind: which config.
        suite: for signatures and the wrapper's box.
        keys: 32 bytes each; the first encrypts, all are tried on what comes. May be none at first.
        owner: the account whose config it is; None for a group's.
        group: the group's Ed25519 key, whose signature is required; empty for an account's.
        signer: the group's pair, if this device may change its configs.
        rules: the version of the reference it behaves like.
        wraps: whether an account's config is stored in the wrapper of older clients.

    Raises:
        LocalProtocolError: these do not fit together.
    """

    def __init__(
        self,
        kind: Kind,
        suite: Suite,
        keys: Sequence[bytes],
        *,
        owner: Account | None = None,
        group: bytes = b"",
        signer: KeyPair | None = None,
        rules: ConfigRules | None = None,
        wraps: bool = True,
    ) -> None:
        if kind.of_group == (owner is not None) or kind.of_group != bool(group):
            raise LocalProtocolError("an account's config has an owner, a group's a key that signs it")
        self.kind, self.state = kind, State.CLEAN
        self._suite, self._group = suite, group
        self._signer: KeyPair | None = None
        if signer is not None:
            self.take_signer(signer)
        self.rules = rules or ConfigRules()
        self._storing = Storing(kind, suite, owner, self.rules, wraps=wraps)
        self._message = first_message()
        self._draft: Draft | None = None
        self._current: frozenset[str] = frozenset()
        self._old: set[str] = set()
        self._keys: tuple[bytes, ...] = ()
        self.replace_keys(keys)

    # ---- Keys ----

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The keys, the one that encrypts first."""
        return self._keys

    def replace_keys(self, keys: Sequence[bytes], *, dirty: bool = False) -> None:
        """Set all keys.

        Args:
            keys: the first encrypts.
            dirty: if the first key changes, push again under it, as after a rekey of a group (messages 4.2).

        Raises:
            LocalProtocolError: a key that has not 32 bytes.
        """
        if any(len(key) != KEY_BYTES for key in keys):
            raise LocalProtocolError("a config key has 32 bytes")
        changed = self._keys[:1] != tuple(keys[:1])
        self._keys = tuple(dict.fromkeys(keys))
        if dirty and changed and self.can_write:
            self._dirty()

    def take_signer(self, signer: KeyPair) -> None:
        """Let this device make new versions of a group's config from now on.

        Raises:
            LocalProtocolError: the pair is not the group's.
        """
        if signer.public != self._group:
            raise LocalProtocolError("the signing pair is not the group's")
        self._signer = signer

    # ---- Reading and changing ----

    @property
    def can_write(self) -> bool:
        """Say whether this device may make new versions."""
        return not self._group or self._signer is not None

    @property
    def seqno(self) -> int:
        """The number of the version held, or being made."""
        return self._message.version.seqno if self._draft is None else self._draft.seqno

    @property
    def data(self) -> Tree:
        """The data as it is now, to read only; change it with `set` and `erase`."""
        return self._message.data if self._draft is None else self._draft.data

    def get(self, *path: bytes) -> Value:
        """Give the value at a path of keys, or None if there is none."""
        found: Value = self.data
        for key in path:
            if type(found) is not dict or key not in found:
                return None
            found = found[key]
        return found

    def tree(self, *path: bytes) -> Tree:
        """Give the dict at a path, or an empty one; to read only."""
        found = self.get(*path)
        return found if type(found) is dict else {}

    def set(self, *path: bytes, to: Value) -> None:
        """Put a value at a path; dicts on the way are made. What is there already changes nothing.

        Args:
            to: an int, bytes, frozenset of these, or dict of bytes to values. An empty set or dict erases.

        Raises:
            LocalProtocolError: something a config cannot hold, no path, or this device cannot write.
        """
        if not path or not all(type(key) is bytes for key in path):
            raise LocalProtocolError("a path in a config is one or more byte strings")
        value = checked(to)
        if type(value) in (dict, frozenset) and not value:
            self.erase(*path)
            return
        found = self.get(*path)
        if type(found) is type(value) and found == value:
            return
        within = self._dirty().data
        for key in path[:-1]:
            if type(within.get(key)) is not dict:
                within[key] = {}
            within = within[key]
        within[path[-1]] = value

    def erase(self, *path: bytes) -> bool:
        """Remove what is at a path; say whether there was anything.

        Raises:
            LocalProtocolError: there is, and this device cannot write.
        """
        if not path or self.get(*path) is None:
            return False
        self._dirty()
        del self.get(*path[:-1])[path[-1]]
        return True

    def _dirty(self) -> Draft:
        if not self.can_write:
            raise LocalProtocolError("only who holds the group's secret can change its configs")
        return self._draft or self._make_dirty(next_draft(self._message, self.rules.lag))

    def _make_dirty(self, draft: Draft) -> Draft:
        self._old |= self._current
        self._current, self.state, self._draft = frozenset(), State.DIRTY, draft
        return draft

    def _finished(self) -> ConfigMessage:
        return self._message if self._draft is None else self._draft.finish(self._sign)

    # ---- Pushing ----

    @property
    def needs_push(self) -> bool:
        """Say whether the swarm may not hold this version."""
        return self.state is not State.CLEAN

    def push(self, now_ms: int) -> Push:
        """Give what is to be stored, in one `sequence` before the deletions. Also possible when clean.

        Obsolete hashes are given once: if the request is lost, those messages stay until they expire, as with
        the reference.

        Args:
            now_ms: unix time, ms; only to remember parts that this device made.

        Raises:
            LocalProtocolError: no key, or the config is too large.
        """
        if not self._keys:
            raise LocalProtocolError("a config cannot be pushed without a key")
        message = self._finished()
        stored = self._storing.seal(message, self._keys[0], now_ms)
        if self._draft is not None:
            self._message, self._draft, self.state = message, None, State.WAITING
        obsolete = tuple(sorted(self._old)) if self.can_write else ()
        self._old.clear()
        return Push(message.version.seqno, stored, obsolete)

    def confirm_pushed(self, seqno: int, hashes: Iterable[str]) -> None:
        """Say that the swarm stored a push. Without effect if the config changed since.

        Args:
            seqno: as `push` gave it.
            hashes: the names the swarm gave to all parts.
        """
        if self.state is State.WAITING and seqno == self.seqno:
            self.state, self._current = State.CLEAN, frozenset(hashes)

    @property
    def current_hashes(self) -> frozenset[str]:
        """The storage hashes of the version held, if it is clean and they are known."""
        return self._current

    def active_hashes(self, now_ms: int) -> frozenset[str]:
        """Give the storage hashes whose expiry is to be extended: the current ones, and parts that wait."""
        self._storing.assembly.expire(now_ms)
        return self._current | self._storing.assembly.waiting_hashes()

    @property
    def awaits_parts(self) -> bool:
        """Whether parts of something that came in several wait for the others."""
        return bool(self._storing.assembly.waiting_hashes())

    def take_old_hashes(self) -> tuple[str, ...]:
        """Give, once, the obsolete storage hashes, unless the next push will name them."""
        if self.state is State.DIRTY:
            return ()
        old = tuple(sorted(self._old))
        self._old.clear()
        return old

    # ---- Merging ----

    def merge(self, fetched: Iterable[tuple[str, bytes]], now_ms: int) -> frozenset[str]:
        """Take what was fetched from this config's namespace.

        Args:
            fetched: storage hash and stored bytes of each message; any bytes.
            now_ms: unix time, ms; decides how long parts wait.

        Returns:
            The hashes that were readable, whether or not they changed anything. A part is, if it looks right
            and, where this call completes its set, the whole is readable.

        Raises:
            LocalProtocolError: this config has no key.
        """
        if not self._keys:
            raise LocalProtocolError("configs cannot be merged without a key")
        accepted: set[str] = set()
        read: list[tuple[frozenset[str], ConfigMessage]] = []
        for storage_hash, stored in fetched:
            opened = Opened(frozenset(), b"")
            try:
                opened = self._storing.open(storage_hash, stored, self._keys, now_ms)
                if opened.raw:
                    read.append((opened.names, self._read(opened.raw)))
                accepted.add(storage_hash)
            except RemoteProtocolError:
                accepted -= opened.names
        self._storing.assembly.expire(now_ms)
        if read:
            self._take(read)
        return frozenset(accepted)

    def _read(self, raw: bytes) -> ConfigMessage:
        verify = self._verify if self._group else None
        return read_message(raw, verify=verify, lag=self.rules.lag)

    def _take(self, read: list[tuple[frozenset[str], ConfigMessage]]) -> None:
        mine = (self._current, self._finished())
        own = [mine] if self.seqno else []
        # Where the own version's name is known it counts before equal ones, otherwise after them.
        first = bool(self._current) or not self.rules.adopt_identical
        given = [*own, *read] if first else [*read, *own]
        outcome = merge(
            [message for _, message in given],
            can_write=self.can_write,
            lag=self.rules.lag,
            whole_diff=self.rules.whole_diff and self._draft is None,
        )
        chosen = None if isinstance(outcome, Draft) else given[outcome]
        for names, _ in given:
            if chosen is None or names != chosen[0]:
                self._old |= names
        if isinstance(outcome, Draft):
            self._make_dirty(outcome)
        elif chosen is not None and chosen is not mine:
            self._adopt(*chosen)

    def _adopt(self, names: frozenset[str], message: ConfigMessage) -> None:
        """Stand behind a stored version, unless it is no other than the one held.

        A version pushed by this device keeps waiting for its confirmation when it is fetched, as in the
        reference. Of two versions with the same seqno a reader takes the higher whenever it comes; the
        reference keeps the first unless both come at once.
        """
        held = self._message.version
        if self._draft is None and (
            message.version <= held or (self.can_write and message.version.seqno == held.seqno)
        ):
            return
        self._message, self._draft = message, None
        self.state, self._current = State.CLEAN, names

    # ---- Keeping ----

    def dump(self, now_ms: int) -> bytes:
        """Write everything this device must keep, but no keys."""
        assembly = self._storing.assembly
        assembly.expire(now_ms)
        old = frozenset(self._old) if self.can_write else frozenset()
        return write_dump(Dump(self.state, self._finished().raw, self._current, old, assembly.dump()))

    def load(self, dump: bytes, now_ms: int) -> None:
        """Take up what `dump` wrote, in place of what is held.

        A config that was dirty comes back with the next seqno, for a push may have followed the dump.

        Raises:
            LocalProtocolError: the dump is damaged.
        """
        kept = read_dump(dump)
        try:
            message = read_message(kept.raw, lag=self.rules.lag, max_bytes=MAX_CONFIG_BYTES)
            self._storing.assembly.load(kept.parts, now_ms)
        except (RemoteProtocolError, KeyError, TypeError, ValueError, AttributeError) as wrong:
            raise LocalProtocolError("the dump of a config is damaged") from wrong
        self.state, self._message, self._draft = kept.state, message, None
        self._current, self._old = kept.current, set(kept.old)
        if kept.state is State.DIRTY:
            self._draft = next_draft(message, self.rules.lag)

    # ---- Signatures ----

    @property
    def _sign(self) -> Signer | None:
        signer, suite = self._signer, self._suite
        return None if signer is None else lambda signed: suite.sign_stored(signer, signed)

    def _verify(self, signed: bytes, signature: bytes) -> bool:
        return self._suite.verify_stored(self._group, signed, signature)


def user_config(kind: Kind, suite: Suite, owner: Account, rules: ConfigRules | None = None) -> Config:
    """Make an empty config of an account; its key is the account's seed. Source: messages 5.1."""
    return Config(kind, suite, [owner.ed.secret], owner=owner, rules=rules)


def group_config(
    kind: Kind,
    suite: Suite,
    group: bytes,
    keys: Sequence[bytes],
    signer: KeyPair | None = None,
    rules: ConfigRules | None = None,
) -> Config:
    """Make an empty config of a group.

    Args:
        group: the group's Ed25519 public key.
        keys: the group's keys, newest first.
        signer: the group's pair, for its admins only.

    Source: messages 5.1.
    """
    return Config(kind, suite, keys, group=group, signer=signer, rules=rules)
