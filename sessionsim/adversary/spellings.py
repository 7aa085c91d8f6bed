"""Other ways to write bytes down: hex, base64 in both alphabets, base32, percent signs.

Any text is tried for all of them, word by word. What a word was is not known; whether what comes out is a
name is for `names` to say.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

_WORD: Final = re.compile(r"[0-9A-Za-z+/_-]{10,}")  # shorter ones hold no name
_PERCENT: Final = re.compile(r"(?:%[0-9A-Fa-f]{2}){2,}")
_SIGN: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")
_BASE32: Final = re.compile(r"(?:[A-Z2-7]+|[a-z2-7]+)\Z")
_ID_HEX: Final = 66
_LEAST_BASE32: Final = 15  # characters of the shortest written address, nine bytes
_ENDS_BASE32: Final = (0, 2, 4, 5, 7)  # lengths that some number of bytes gives. Source: RFC 4648, 6
_URL: Final = str.maketrans("-_", "+/")


def unquoted(text: str) -> bytes:
    """Give what a text with percent signs stands for; signs without two hex digits stay."""
    return _SIGN.sub(lambda found: bytes((int(found[1], 16),)), text.encode("utf-8", "replace"))


def spellings(text: str) -> Iterator[bytes]:
    """Give whatever a text, or a word of it, may stand for."""
    if "%" in text:
        yield unquoted(text)
        yield from map(unquoted, _PERCENT.findall(text))
    for word in _WORD.findall(text.replace("\\/", "/") if "\\" in text else text):
        yield from _decoded(word)
        if "/" in word:
            for part in word.split("/"):
                if len(part) < len(word):
                    yield from _decoded(part)


def _decoded(word: str) -> Iterator[bytes]:
    if _HEX.match(word):
        if len(word) != _ID_HEX:  # an id in the usual spelling
            yield bytes.fromhex(word)
        return
    if len(word) % 4 != 1 and not word.islower():  # no number of bytes gives such a length; else a word
        yield binascii.a2b_base64(word.translate(_URL) + "=" * (-len(word) % 4))
    if len(word) >= _LEAST_BASE32 and len(word) % 8 in _ENDS_BASE32 and _BASE32.match(word):
        yield base64.b32decode(word.upper() + "=" * (-len(word) % 8))
