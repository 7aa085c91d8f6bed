"""Other ways to write bytes down: hex, with signs between or without, base64, base32 and base58 in their
alphabets, decimal digits, percent signs, the words of recovery phrases; and ways to pack them: zlib, gzip,
texts of two bytes a character.

Any text is tried for all of them, word by word. What a word was is not known; whether what comes out is a
name is for `names` to say.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.mnemonic import seed_of

_WORD: Final = re.compile(r"[0-9A-Za-z+/_-]{10,}")  # shorter ones hold no name
_PERCENT: Final = re.compile(r"(?:%[0-9A-Fa-f]{2}){2,}")
_SIGN: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")
_BASE32: Final = re.compile(r"(?:[A-Z2-7]+|[a-z2-7]+)\Z")
_ID_HEX: Final = 66
_LEAST_BASE32: Final = 15  # characters of the shortest written address, nine bytes
_ENDS_BASE32: Final = (0, 2, 4, 5, 7)  # lengths that some number of bytes gives. Source: RFC 4648, 6
# Ids of files are as long as ids of accounts in base64, and random. Source: client-behaviour 6.5
_FILE: Final = re.compile(r"(?<=/file/)[0-9A-Za-z_-]+")
_URL: Final = str.maketrans("-_", "+/")
_GROUPED: Final = re.compile(r"[0-9A-Fa-f]{2,}(?:([-: ,._])[0-9A-Fa-f]+)(?:\1[0-9A-Fa-f]+)+")
_SIGNS: Final = re.compile(r"[0-9A-Fa-f]{2}[-: ,._][0-9A-Fa-f]{2,}[-: ,._][0-9A-Fa-f]{2}")
_BETWEEN: Final = str.maketrans("", "", "-: ,._")
# Addresses of nodes are written in this alphabet. Source: session-storage-server: oxenss/utils/string_utils.
_Z: Final = "ybndrfg8ejkmcpqxot1uwisza345h769"
_OF_Z: Final = str.maketrans(_Z, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # Source: as Bitcoin writes it
_DIGIT: Final = {character: value for value, character in enumerate(_BASE58)}
_LENGTHS_58: Final = range(42, 51)  # characters of 32 to 36 bytes
_LENGTHS_10: Final = range(70, 91)  # digits of as many bytes
_PACKED: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b")  # Source: RFC 1950, 1952
_MOST_UNPACKED: Final = 1 << 17  # Assumption: what is longer is a file
_EITHER: Final = 32 + zlib.MAX_WBITS  # zlib or gzip, by what the bytes begin with
_PHRASE_BLANKS: Final = 12  # between the words of a recovery phrase
_LEAST_WIDE: Final = 20  # bytes of a text of two bytes a character


def unquoted(text: str) -> bytes:
    """Give what a text with percent signs stands for; signs without two hex digits stay."""
    return _SIGN.sub(lambda found: bytes((int(found[1], 16),)), text.encode("utf-8", "replace"))


def entropy_of(text: str) -> bytes:
    """Give what the words of a recovery phrase stand for; empty for any other text. Source: transport 1.3."""
    if text.count(" ") != _PHRASE_BLANKS:
        return b""
    try:
        return seed_of(text)
    except InvalidInput:
        return b""


def spellings(text: str) -> Iterator[bytes]:
    """Give whatever a text, or a word of it, may stand for."""
    entropy = entropy_of(text)
    if entropy:
        yield entropy
    if "%" in text:
        yield unquoted(text)
        yield from map(unquoted, _PERCENT.findall(text))
    for grouped in _GROUPED.finditer(text) if text.isascii() and _SIGNS.search(text) else ():
        digits = grouped[0].translate(_BETWEEN)
        if len(digits) % 2 == 0:
            yield bytes.fromhex(digits)
    text = text.replace("\\/", "/") if "\\" in text else text
    for word in _WORD.findall(_FILE.sub("", text) if "/file/" in text else text):
        yield from _decoded(word)
        if "/" in word:
            for part in word.split("/"):
                if len(part) < len(word):
                    yield from _decoded(part)


def _decoded(word: str) -> Iterator[bytes]:
    if len(word) in _LENGTHS_58 or len(word) in _LENGTHS_10:
        yield from _of_number(word)
    if _HEX.match(word):
        if len(word) != _ID_HEX:  # an id in the usual spelling
            yield bytes.fromhex(word)
        return
    if len(word) % 4 != 1 and not word.islower():  # no number of bytes gives such a length; else a word
        yield binascii.a2b_base64(word.translate(_URL) + "=" * (-len(word) % 4))
    if len(word) >= _LEAST_BASE32 and len(word) % 8 in _ENDS_BASE32:
        if _BASE32.match(word):
            yield base64.b32decode(word.upper() + "=" * (-len(word) % 8))
        if word.islower() and not word.translate(_OF_Z).strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
            yield base64.b32decode(word.translate(_OF_Z) + "=" * (-len(word) % 8))


def _of_number(word: str) -> Iterator[bytes]:
    """Give the bytes whose number a word is, in decimal digits or in base58."""
    number = 0
    if len(word) in _LENGTHS_10:
        if not (word.isascii() and word.isdigit()):
            return
        number = int(word)
    else:
        for character in word:
            digit = _DIGIT.get(character)
            if digit is None:
                return
            number = 58 * number + digit
    yield number.to_bytes((number.bit_length() + 7) // 8, "big")


def unpacked(raw: bytes) -> Iterator[bytes]:
    """Give what bytes hold that are packed, or a text of two bytes a character."""
    if raw.startswith(_PACKED):
        try:
            yield zlib.decompressobj(_EITHER).decompress(raw, _MOST_UNPACKED)
        except zlib.error:
            return
    elif len(raw) >= _LEAST_WIDE:
        text = raw.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
        for wide, narrow in ((text[::2], text[1::2]), (text[1::2], text[::2])):
            if wide and not any(wide) and narrow.isascii():
                yield narrow
