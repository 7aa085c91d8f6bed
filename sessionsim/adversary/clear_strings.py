"""The byte strings in the clear parts of stored messages: which come again, and which are keys.

Ciphertexts, signatures and passing keys are drawn or made anew for every message. One that comes again, whole
or by its beginning, ties the messages together; one that is the key of an id names who it is. Of each string
the first and the last bytes are kept, as many as do not meet by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sessionsim.adversary.fields import KEY_BYTES
from sessionsim.adversary.names import LEAST_STRING, string_term


class ClearStrings:
    """Strings of all messages.

    Attributes:
        repeated: term of each string that stands in several -> numbers of the messages.
    """

    def __init__(self) -> None:
        self.repeated: dict[str, list[int]] = {}
        self._first: dict[bytes, int] = {}

    def meet(self, number: int, strings: Sequence[bytes]) -> None:
        """Take the strings of a message that is new."""
        for string in strings:
            if len(string) < LEAST_STRING:
                continue
            begin = string[:LEAST_STRING]
            first = self._first.setdefault(begin + string[-LEAST_STRING:], number)
            alike = self._first.setdefault(begin, number) if len(string) > KEY_BYTES else number
            if first != number:
                self.repeated.setdefault(string_term(string), [first]).append(number)
            elif alike != number:
                self.repeated.setdefault(string_term(begin), [alike]).append(number)

    def holding(self, key: bytes) -> Iterator[int]:
        """Give the messages in whose clear parts a key of 32 bytes stands, or begins a string."""
        for string in (key, key[:LEAST_STRING]):
            if string in self._first:
                yield from dict.fromkeys((self._first[string], *self.repeated.get(string_term(string), ())))
