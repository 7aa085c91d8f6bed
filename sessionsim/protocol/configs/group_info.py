"""What a group is called and how it behaves (messages 5.1, 5.6): namespace 13, written by admins.

    n name   o description   p, q picture   E timer, s   c created, s   ! destroyed
    d delete messages before, s   D delete attachments before, s
Source: libsession-util: src/config/groups/info.cpp.
"""

from __future__ import annotations

from typing import Final

from sessionsim.protocol.configs.config import Config
from sessionsim.protocol.configs.fields import (
    MAX_NAME_BYTES,
    Picture,
    encoded,
    filled,
    integer_in,
    picture_fields,
    picture_in,
    positive,
    put,
    text_in,
)

MAX_DESCRIPTION_BYTES: Final = 2000  # Source: messages 5.6


class GroupInfo:
    """The description of a group in a config. Setters raise LocalProtocolError for who is no admin."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    def name(self) -> str:
        """The group's name, or an empty text."""
        return text_in(self.config.data, b"n")

    def set_name(self, name: str) -> None:
        """Set the name; an empty one removes it. Raises InvalidInput: more than 100 bytes."""
        put(self.config, (), {b"n": filled(encoded(name, MAX_NAME_BYTES, "group name"))})

    @property
    def description(self) -> str:
        """The description, or an empty text."""
        return text_in(self.config.data, b"o")

    def set_description(self, text: str) -> None:
        """Set the description; an empty one removes it. Raises InvalidInput: more than 2000 bytes."""
        put(self.config, (), {b"o": filled(encoded(text, MAX_DESCRIPTION_BYTES, "group description"))})

    @property
    def picture(self) -> Picture | None:
        """The group's picture."""
        return picture_in(self.config.data)

    def set_picture(self, picture: Picture | None) -> None:
        """Set or remove the picture."""
        put(self.config, (), picture_fields(picture))

    @property
    def timer_s(self) -> int:
        """After how many seconds from sending messages disappear; 0 for never."""
        return integer_in(self.config.data, b"E")

    def set_timer(self, timer_s: int) -> None:
        """Set the timer, s; 0 removes it."""
        put(self.config, (), {b"E": positive(timer_s)})

    @property
    def created_s(self) -> int:
        """When the group was made, unix time, s; 0 if unknown."""
        return integer_in(self.config.data, b"c")

    def set_created(self, time_s: int) -> None:
        """Set when the group was made, unix time, s."""
        put(self.config, (), {b"c": positive(time_s)})

    @property
    def delete_before_s(self) -> int:
        """Members delete messages from before this unix time, s; 0 for none."""
        return integer_in(self.config.data, b"d")

    def set_delete_before(self, time_s: int) -> None:
        """Let members delete messages from before a unix time, s."""
        put(self.config, (), {b"d": positive(time_s)})

    @property
    def delete_attachments_before_s(self) -> int:
        """Members delete attachments from before this unix time, s; 0 for none."""
        return integer_in(self.config.data, b"D")

    def set_delete_attachments_before(self, time_s: int) -> None:
        """Let members delete attachments from before a unix time, s."""
        put(self.config, (), {b"D": positive(time_s)})

    @property
    def destroyed(self) -> bool:
        """Whether the group was ended."""
        return integer_in(self.config.data, b"!") > 0

    def destroy(self) -> None:
        """End the group. There is no way back."""
        put(self.config, (), {b"!": 1})
