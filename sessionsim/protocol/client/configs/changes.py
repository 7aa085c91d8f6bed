"""What people change in the configs of their account, as values (core.intents.ConfigChange).

The workload says what kind of thing changes, not what to: values are made here, of the lengths that real ones
have, and different each time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.configs.contacts import Contact
from sessionsim.protocol.configs.conversations import Conversation
from sessionsim.protocol.configs.fields import Picture
from sessionsim.protocol.configs.values import MAX_INT

if TYPE_CHECKING:
    from sessionsim.protocol.client.configs.held import Held
    from sessionsim.protocol.client.machine import Client

_KEY_BYTES: Final = 32  # of a picture. Source: messages 5.6
_MS_PER_S: Final = 1000
# A picture's address, of the length real ones have (messages 2.4).
_URL: Final = "http://filev2.getsession.org/file/{:044d}#p=09324794aa9c11948189762d198c6181"


class ConfigChanges:
    """The changes one device makes to its account's configs.

    Args:
        client: whose.
        held: the configs.
        name: what the account was called first.
    """

    def __init__(self, client: Client, held: Held, name: str) -> None:
        self._client, self._held, self._name = client, held, name
        self._unread: dict[bytes, int] = {}  # conversations and the time of their newest message, unix ms

    def rename(self, number: int, now_ms: int) -> None:
        """Take another name, as long as the first one (Assumption)."""
        tail = f" {number + 1}"
        name = self._name[: max(1, len(self._name) - len(tail))] + tail
        self._held.profile.set_name(name, now_ms // _MS_PER_S)

    def show(self, number: int, now_ms: int, url: str = "", key: bytes = b"") -> str:
        """Take another picture; give its address. Args: url, key: where it was uploaded; made up if not."""
        made = self._client.entropy.draw(b"picture" + number.to_bytes(4, "little"))
        picture = Picture(url or _URL.format(int.from_bytes(made[:8], "little")), key or made[:_KEY_BYTES])
        self._held.profile.set_picture(picture, now_ms // _MS_PER_S)
        return picture.url

    def keep(self, number: int, now_ms: int) -> None:
        """Change something about one contact, or about the note to self if there is none."""
        ids = [contact.id for contact in self._held.contacts]
        address = b"contact" + number.to_bytes(4, "little")
        if not ids:
            self._held.profile.set_note_priority(1 + number)
            return
        contact = self._held.contacts.get(ids[number_at(self._client.entropy, address, len(ids))])
        assert contact is not None
        self._held.contacts.set(replace(contact, nickname=f"nickname {number:04d}"))  # Assumption: 13 bytes

    def approve(self, contact_id: bytes, *, given: bool, got: bool, now_ms: int) -> None:
        """Write down who has accepted whom; whoever is no contact becomes one, yet without a name."""
        contact = self._held.contacts.get(contact_id) or Contact(contact_id, created_s=now_ms // _MS_PER_S)
        self._held.contacts.set(replace(contact, approved=given, approved_me=got))

    def refuse(self, other_id: bytes, *, blocks: bool, now_ms: int) -> None:
        """Write down that a request is refused: nothing more of it, or that its writer is blocked."""
        self._unread.pop(other_id, None)
        self._held.conversations.erase(other_id)
        if not blocks:
            self._held.contacts.erase(other_id)
            return
        contact = self._held.contacts.get(other_id) or Contact(other_id, created_s=now_ms // _MS_PER_S)
        self._held.contacts.set(replace(contact, approved=False, approved_me=False, blocked=True))

    # ---- Reading ----

    def came(self, conversation_id: bytes, sent_ms: int) -> None:
        """Note a message that nobody has read yet; a time beyond what a config holds counts as the last."""
        before = self._unread.pop(conversation_id, 0)
        self._unread[conversation_id] = max(before, min(sent_ms, MAX_INT))

    def tick_off(self, now_ms: int) -> bool:
        """Read the conversation whose newest message came last; say whether there was one unread."""
        if not self._unread:
            return False
        conversation_id, sent_ms = self._unread.popitem()
        known = self._held.conversations.get(conversation_id)
        read_ms = max(sent_ms, known.read_ms if known is not None else 0)
        self._held.conversations.set(Conversation(conversation_id, read_ms), now_ms)
        return True
