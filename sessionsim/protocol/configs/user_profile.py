"""What an account tells its own devices about itself (messages 5.1, 5.6): namespace 2.

    n name   p, q picture   + priority of the note to self   e its timer, s   M blinded message requests
    t time of the last change   P, Q, T the same of a picture uploaded again      (t, P, Q, T: newer clients)

Fields of Pro members (f, s, E and more) are left as they are.
Source: libsession-util: src/config/user_profile.cpp.
"""

from __future__ import annotations

from sessionsim.protocol.configs.config import Config
from sessionsim.protocol.configs.fields import (
    MAX_NAME_BYTES,
    Picture,
    encoded,
    filled,
    integer_in,
    nonzero,
    picture_fields,
    picture_in,
    positive,
    put,
    text_in,
)


class UserProfile:
    """The profile in a config.

    Setters take the time `now_s` (unix, s), which newer clients write with each change; None writes none, as
    libsession-util of January 2025.
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    def name(self) -> str:
        """The display name, or an empty text."""
        return text_in(self.config.data, b"n")

    def set_name(self, name: str, now_s: int | None = None) -> None:
        """Set the name; an empty one removes it. Raises InvalidInput: more than 100 bytes."""
        raw = encoded(name, MAX_NAME_BYTES, "profile name")
        if name != self.name:
            put(self.config, (), {b"n": filled(raw)})
            self._stamp(now_s)

    @property
    def picture(self) -> Picture | None:
        """The picture; the one uploaded again if that is the later."""
        data = self.config.data
        return picture_in(data) if self._first_is_newer() else picture_in(data, b"P", b"Q")

    def set_picture(self, picture: Picture | None, now_s: int | None = None) -> None:
        """Set or remove the picture; removing it removes the one uploaded again too."""
        if picture == picture_in(self.config.data):
            return
        put(self.config, (), picture_fields(picture))
        if picture is None and now_s is not None:
            self.set_picture_again(None, now_s)
        if now_s is not None:
            self.config.set(b"t", to=now_s)

    def set_picture_again(self, picture: Picture | None, now_s: int) -> None:
        """Set where the same picture was uploaded again. Only newer clients do."""
        if picture == picture_in(self.config.data, b"P", b"Q"):
            return
        url, key = (picture.url.encode(), picture.key) if picture else (None, None)
        put(self.config, (), {b"P": url, b"Q": key, b"T": now_s})

    @property
    def note_priority(self) -> int:
        """The place of the note to self in the list: 0 usual, above 0 pinned, −1 hidden."""
        return integer_in(self.config.data, b"+")

    def set_note_priority(self, priority: int) -> None:
        """Set the place of the note to self."""
        put(self.config, (), {b"+": nonzero(priority)})

    @property
    def note_timer_s(self) -> int:
        """After how many seconds notes to self disappear; 0 for never."""
        return max(0, integer_in(self.config.data, b"e"))

    def set_note_timer(self, timer_s: int) -> None:
        """Set the timer of the note to self, s."""
        put(self.config, (), {b"e": positive(timer_s)})

    @property
    def blinded_requests(self) -> bool | None:
        """Whether message requests from communities are wanted; None if never chosen."""
        found = self.config.get(b"M")
        return bool(found) if type(found) is int else None

    def set_blinded_requests(self, wanted: bool | None, now_s: int | None = None) -> None:
        """Choose, or unlearn the choice."""
        if wanted != self.blinded_requests:
            put(self.config, (), {b"M": None if wanted is None else int(wanted)})
            self._stamp(now_s)

    @property
    def updated_s(self) -> int:
        """When the profile last changed, unix time, s; 0 if no client wrote it."""
        return max(integer_in(self.config.data, b"t"), integer_in(self.config.data, b"T"))

    def _first_is_newer(self) -> bool:
        return integer_in(self.config.data, b"t") >= integer_in(self.config.data, b"T")

    def _stamp(self, now_s: int | None) -> None:
        if now_s is not None:
            self.config.set(b"t" if self._first_is_newer() else b"T", to=now_s)
