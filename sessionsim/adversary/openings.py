"""Stored messages opened with secrets, and the secrets that come out of them.

    account's key      opens direct messages, the account's configs, a slot of a group's keys message
    group's seed       comes out of a promotion or of the config of an admin; opens the slot of admins
    group's key        comes out of a keys message; opens the group's messages, its name, its list of members
    device's seed      opens device group messages of version 2
    account's seed     comes out of these, with all that are kept at their time; opens direct messages, and
                       the account's configs in the what-if of hole H9

What opens is found out by really opening, with every secret that anybody in the run could have. A message
notes which secrets open it and which come out; who has them, and since when, is the business of `closure`.
What is for a group, or under keys of version 2, waits until everything has been read, since its keys may come
later than what they open. A config in several messages opens part by part; its whole is a message of its own,
had by whom all parts are had.
"""

from __future__ import annotations

from array import array
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple

from sessionsim.adversary.account_seeds import AccountSeeds
from sessionsim.adversary.insides import Insides
from sessionsim.adversary.keyring import Keys
from sessionsim.adversary.letters import V2_START, Letter, open_letter
from sessionsim.adversary.mail import Mail, Mailbox
from sessionsim.adversary.names import id_term
from sessionsim.adversary.opened import (
    CONFIG_NAMES,
    UNREADABLE,
    Content,
    Said,
    kind_of,
    names_in_bytes,
    said_in,
    said_in_config,
    seeds_in,
    seeds_in_config,
    text_of,
)
from sessionsim.core.errors import ProtocolError
from sessionsim.core.ledger import Relation
from sessionsim.protocol import namespaces
from sessionsim.protocol.configs.config import Config, group_config, user_config
from sessionsim.protocol.configs.kinds import KINDS, Kind
from sessionsim.protocol.configs.message import hash_of
from sessionsim.protocol.configs.rules import ConfigRules
from sessionsim.protocol.configs.shared import shared_config
from sessionsim.protocol.configs.storing import Storing
from sessionsim.protocol.contents import read
from sessionsim.protocol.crypto import Suite, aead
from sessionsim.protocol.groups.encryption import decrypt
from sessionsim.protocol.groups.identity import Group, group_from_seed, is_group_id
from sessionsim.protocol.groups.loading import open_keys
from sessionsim.protocol.identity import Account, account_id_of_ed25519
from sessionsim.protocol.v2 import HybridKeys, device_keys
from sessionsim.protocol.v2.config_keys import config_key
from sessionsim.protocol.v2.devices.group_reading import open_payload, read_group_message
from sessionsim.protocol.v2.devices.payload import decode_payload
from sessionsim.protocol.wire.group_envelope import unwrap_group

_OF_GROUPS: Final = frozenset((
    namespaces.GROUP_MESSAGES, namespaces.GROUP_KEYS, namespaces.GROUP_INFO, namespaces.GROUP_MEMBERS,
))  # fmt: skip
_RULES: Final = ConfigRules()


class _Waiting(NamedTuple):
    """Something stored for a group. Args: number: of the message."""

    number: int
    group: bytes
    namespace: int
    data: bytes


class Openings:
    """What opens which message.

    Args:
        suite: cryptography.
        keys: all secrets; those that come out of messages are added.
        public: addresses that are nobody's secret.
        number_whole: gives a number to a whole by its name, the inbox and the numbers of its parts.

    Attributes:
        opened: columns message, secret: each way in which a message opens.
        words: the same in words, one for each.
        handed: columns number of the opening, secret that comes out.
        contents: what each opened message holds; insides: as bytes.
        told: number of an opening -> what it says that others of the same message do not.
        wholes: number of what came in parts -> the numbers of the parts.
    """

    def __init__(
        self,
        suite: Suite,
        keys: Keys,
        public: Collection[str],
        number_whole: Callable[[str, bytes, Sequence[int]], int],
    ) -> None:
        self._suite, self._keys, self._public = suite, keys, public
        self._number_whole = number_whole
        self.opened = array("q"), array("q")
        self.words: list[str] = []
        self.handed = array("q"), array("q")
        self.contents: dict[int, Content] = {}
        self.insides = Insides()
        self.told: dict[int, tuple[Said, ...]] = {}
        self.wholes: dict[int, tuple[int, ...]] = {}
        self._parts: dict[int, bytes] = {}  # stored bytes of parts that still wait for the others
        self._storing: dict[tuple[bytes, Kind, bytes], Storing] = {}  # by inbox, kind and key
        self._accounts = keys.accounts()
        self._by_id = {account.id: (number, account) for number, account in self._accounts}
        self._seeds: dict[bytes, dict[int, Group]] = {}
        self._waiting: list[_Waiting] = []
        self._mailbox = Mailbox(keys)
        self._device_keys: dict[int, HybridKeys] | None = None
        self._locked: list[
            _Waiting
        ] = []  # of version 2: messages and configs under keys that are not known yet

    def meet(self, number: int, inbox: bytes, namespace: int, data: bytes, letter: Letter | None) -> None:
        """Take a message that is new. Args: letter: what an account's key opens in it, if one does."""
        if letter is not None:
            self._take_letter(number, inbox, letter)
        elif inbox in self._by_id and namespace in KINDS:
            self._take_config(number, *self._by_id[inbox], KINDS[namespace], data)
        elif (self._accounts or self._seeds) and namespace in _OF_GROUPS and is_group_id(inbox):
            self._waiting.append(_Waiting(number, inbox, namespace, data))
        elif inbox in self._by_id and namespace == namespaces.DEVICES:
            self._take_device_group(number, self._by_id[inbox][1], data)
        elif inbox in self._by_id and namespace == namespaces.DEFAULT and data.startswith(V2_START):
            self._locked.append(_Waiting(number, inbox, namespace, data))

    def _add(self, number: int, key: int, by: str, what: str, content: Content) -> None:
        """Note that a message opens. Args: by: what the secret is; what: what it opens."""
        self.contents.setdefault(number, content)
        self.words.append(f"{by} opens {what}")
        for column, value in zip(self.opened, (number, key), strict=True):
            column.append(value)
        for seed in content.seeds:
            self._hand(self.learn_group(seed))

    def has_seed(self, group_id: bytes) -> bool:
        """Say whether the seed of a group is there."""
        return group_id in self._seeds

    def learn_group(self, seed: bytes) -> int:
        """Take the seed of a group that was found in clear. Returns the number of the secret."""
        group = group_from_seed(seed)
        secret = self._keys.learn(f"seed of {id_term(group.id)}", seed)
        self._seeds.setdefault(group.id, {})[secret] = group
        return secret

    def _hand(self, secret: int) -> None:
        """Note that a secret came out of what was opened last."""
        for column, value in zip(self.handed, (len(self.words) - 1, secret), strict=True):
            column.append(value)

    def _take_letter(self, number: int, inbox: bytes, letter: Letter) -> None:
        writer, reader = id_term(letter.writer), id_term(inbox)
        message = letter.message
        content = Content(
            letter.kind,
            writer,
            f"signed by {letter.writer.hex()}",
            id_term(letter.target or inbox),
            tuple(said_in(message, writer, reader, self._public)) if message else (),
            names_in_bytes(letter.plaintext, self._public),
            seeds_in(message) if message else (),
            text_of(message) if message else "",
        )
        self.insides.take(number, letter.plaintext)
        self._add(number, letter.key, f"{letter.by} of {reader}", letter.where, content)

    def take_mail(self, number: int, server_x: bytes, mail: Mail) -> None:
        """Take a letter from a community's inbox that is new, and open it with what is held."""
        message = f"message:{mail.name}"
        for opened in self._mailbox.open(server_x, mail):
            writer, reader = id_term(opened.writer), id_term(opened.owner)
            content = Content(
                kind_of(opened.message) if opened.message else UNREADABLE,
                writer,
                f"written with the key of {opened.writer.hex()} inside",
                "",
                tuple(said_in(opened.message, writer, reader, self._public)) if opened.message else (),
                names_in_bytes(opened.plaintext, self._public),
                seeds_in(opened.message) if opened.message else (),
                text_of(opened.message) if opened.message else "",
            )
            self.insides.take(number, opened.plaintext)
            by = f"key ed25519 of {reader}"
            self._add(number, opened.key, by, "a letter in a community's inbox", content)
            told = [Said(Relation.LINKED, writer, id_term(mail.sender), "sender")]
            if reader != writer:
                told.append(Said(Relation.LINKED, reader, id_term(mail.recipient), "recipient"))
                told.append(Said(Relation.ADDRESSED_TO, message, reader, "recipient"))
                told.append(Said(Relation.TALKS_TO, writer, reader, "recipient"))
            self.told[len(self.words) - 1] = tuple(told)

    def _take_config(self, number: int, key: int, owner: Account, kind: Kind, data: bytes) -> None:
        config, made = user_config(kind, self._suite, owner), f"sealed by {owner.id_hex} for itself"
        if not self._read_config(number, key, data, config, owner.id, owner, owner.ed.secret, made):
            self._locked.append(_Waiting(number, owner.id, kind.namespace, data))

    def _unlock_config(self, one: _Waiting) -> None:
        """Open a config under the key that an account's seed gives (hole H9 of version 2, what if)."""
        owner, made = self._by_id[one.group][1], "sealed under a seed of the account"
        for number, seed in self._keys.seeds.items():
            secret = config_key(seed)
            config = shared_config(KINDS[one.namespace], self._suite, owner, (secret,))
            if self._read_config(one.number, number, one.data, config, owner.id, owner, secret, made):
                return

    def _read_config(
        self, number: int, key: int, data: bytes, config: Config, inbox: bytes, owner: Account | None,
        secret: bytes, made: str,
    ) -> bool:  # fmt: skip
        """Open a config with one key, as a device would that has nothing yet. Returns whether it opens."""
        kind = config.kind
        at = (inbox, kind, secret)
        storing = self._storing.get(at)
        if storing is None:
            storing = self._storing[at] = Storing(kind, self._suite, owner, _RULES)
        by = self._keys.owners[key] if owner is None else f"key ed25519 of {id_term(inbox)}"
        if key in self._keys.seeds:
            by = f"account seed of {id_term(inbox)}"
        self._parts[number] = data
        try:
            opened = storing.open(str(number), data, (secret,), 0)
        except ProtocolError:
            del self._parts[number]
            return False
        if not opened.raw:
            self._add_part(number, key, by, kind, id_term(inbox), made)
            return True
        numbers = sorted(map(int, opened.names))
        stored = [self._parts.pop(one) for one in numbers]
        try:
            config.merge([(str(one), part) for one, part in zip(numbers, stored, strict=True)], 0)
        except ProtocolError:
            return False
        whole = number
        if len(numbers) > 1:
            self._add_part(number, key, by, kind, id_term(inbox), made)
            name = b64encode(hash_of(b"".join(stored))).decode().rstrip("=")
            whole = self._number_whole(name, inbox, numbers)
            self.wholes[whole] = tuple(numbers)
        said = tuple(said_in_config(kind, config, id_term(inbox)))
        names = names_in_bytes(opened.raw, self._public)
        self.insides.take(whole, opened.raw)
        content = Content(
            CONFIG_NAMES[kind], id_term(inbox), made, "", said, names, seeds_in_config(kind, config)
        )
        self._add(whole, key, by, "a config", content)
        return True

    def _add_part(self, number: int, key: int, by: str, kind: Kind, owner: str, made: str) -> None:
        content = Content(f"part-of-{CONFIG_NAMES[kind]}", owner, made)
        self._add(number, key, by, "a part of a config", content)

    def _take_device_group(self, number: int, owner: Account, data: bytes) -> None:
        """Open a device group message with each device's keys; the account seeds in it come out."""
        if self._device_keys is None:
            seeds = self._keys.device_seeds.items()
            self._device_keys = {place: device_keys(self._suite, seed) for place, seed in seeds}
        try:
            message = read_group_message(self._suite, owner, data)
        except ProtocolError:
            return
        for place, keys in self._device_keys.items():
            try:
                raw, _slot = open_payload(self._suite, [keys], message)
                payload = decode_payload(raw)
            except ProtocolError:
                continue
            account, device = id_term(owner.id), self._keys.owners[place]
            content = Content("device-group", account, f"signed by {owner.ed.public.hex()}")
            by, what = f"device seed of {device}", "a slot of a device group message"
            self._add(number, place, by, what, content)
            for held in payload.seeds:
                self._hand(self._keys.learn_seed(f"account seed of {account}", held.seed))

    def _unlock(self) -> None:
        """Open messages and configs with the account seeds that have come out of device group messages."""
        seeds = AccountSeeds(self._suite, self._keys)
        for one in self._locked:
            if one.namespace in KINDS:
                self._unlock_config(one)
                continue
            letter = open_letter(self._suite, self._keys, seeds, one.group, one.data)
            if letter is not None:
                self._take_letter(one.number, one.group, letter)
        self._locked.clear()

    def finish(self) -> None:
        """Open what waited, now that every secret is known that anything but a keys message hands over."""
        self._unlock()
        found: dict[bytes, dict[int, bytes]] = {}
        for one in self._waiting:
            if one.namespace == namespaces.GROUP_KEYS:
                for secret, key in self._open_keys(one):
                    found.setdefault(one.group, {})[secret] = key
        for one in self._waiting:
            if one.namespace != namespaces.GROUP_KEYS:
                self._open_sealed(one, found.get(one.group, {}).items())
        self._waiting.clear()

    def _open_keys(self, one: _Waiting) -> Iterable[tuple[int, bytes]]:
        """Give the keys in a keys message that anybody's secret opens."""
        group, found = id_term(one.group), dict[int, bytes]()
        readers: list[tuple[int, Account | Group]] = [*self._accounts]
        readers += self._seeds.get(one.group, {}).items()
        for number, reader in readers:
            try:
                opened = open_keys(self._suite, one.group, reader, one.data, 0)
            except ProtocolError:
                continue
            if not opened.keys:
                continue
            owner, member = self._keys.owners[number], isinstance(reader, Account)
            by = f"key x25519 of {owner}" if member else owner
            what = "a member's slot of a keys message" if member else "the admins' slot of a keys message"
            content = Content("group-keys", group, f"signed by {one.group[1:].hex()}")
            self._add(one.number, number, by, what, content)
            for key in opened.keys:
                secret = self._keys.learn(f"key {key.generation} of {group}", key.key)
                self._hand(secret)
                found[secret] = key.key
        return found.items()

    def _open_sealed(self, one: _Waiting, keys: Iterable[tuple[int, bytes]]) -> None:
        opening: Callable[[_Waiting, int, bytes], bool] = (
            self._open_message if one.namespace == namespaces.GROUP_MESSAGES else self._open_config
        )
        for secret, key in keys:
            if opening(one, secret, key):
                return

    def _open_config(self, one: _Waiting, secret: int, key: bytes) -> bool:
        group = one.group[1:]
        config = group_config(KINDS[one.namespace], self._suite, group, (key,))
        made = f"signed by {group.hex()}"
        return self._read_config(one.number, secret, one.data, config, one.group, None, key, made)

    def _open_message(self, one: _Waiting, secret: int, key: bytes) -> bool:
        """Open a message to a group; both forms of its signature are tried."""
        for signs_group in (True, False):
            try:
                opened = decrypt(self._suite, one.group, (key,), one.data, signs_group=signs_group)
                break
            except ProtocolError:
                continue
        else:
            return False
        writer, group = account_id_of_ed25519(opened.sender), id_term(one.group)
        outer = aead.unseal(one.data[aead.NONCE_BYTES :], one.data[: aead.NONCE_BYTES], key)
        self.insides.take(one.number, opened.plaintext)
        names = dict.fromkeys(
            (*names_in_bytes(outer, self._public), *names_in_bytes(opened.plaintext, self._public))
        )
        try:
            message = read(unwrap_group(opened.plaintext).content)
        except ProtocolError:
            kind, said, text = UNREADABLE, tuple[Said, ...](), ""
        else:
            kind, said = kind_of(message), tuple(said_in(message, id_term(writer), group, self._public))
            text = text_of(message)
        made = f"signed by {writer.hex()}"
        content = Content(kind, id_term(writer), made, "", said, tuple(names), text=text)
        self._add(one.number, secret, self._keys.owners[secret], "a message to the group", content)
        return True
