"""How long a text message is, and a text of that length.

Lengths are sampled from the counts of 55,835 English SMS by UTF-8 length (NUS SMS Corpus; Chen and Kan,
"Creating a live, public short message service corpus: the NUS SMS corpus", Language Resources and
Evaluation 47(2):299-355, 2013). Only the counts are shipped (`data/sms_length_histogram.csv`). The text is
made up, of one-byte characters: what it says has no influence on anything that is measured.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import Final

from sessionsim.core.errors import InvalidInput

# The longest text the generator makes: the largest body the measured corpus comes near is 910 bytes.
# Assumption: no text message is longer than this.
MAX_TEXT_BYTES: Final = 2000

_FILE: Final = "sms_length_histogram.csv"
_MESSAGES: Final = 55_835  # Source: metrics 4.2, the English part of the corpus

# Assumption: any text would do; this one names what the simulation is about.
_WORDS: Final = (
    "where are you now? i am on the way, see you at eight. did you get the tickets? yes, two of them. "
    "tell her i said hello and call me when you can. the train is late again, do not wait with dinner. "
)
_TEXT: Final = _WORDS * (2 * MAX_TEXT_BYTES // len(_WORDS) + 2)


@cache
def histogram() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give the lengths in UTF-8 bytes, ascending, and the number of messages of each.

    Raises:
        InvalidInput: the shipped file is missing or damaged.
    """
    try:
        raw = (files("sessionsim.workload") / "data" / _FILE).read_bytes()
    except OSError as gone:
        reason = gone.strerror or "no file"
        raise InvalidInput(_FILE, reason, "a readable file", "Install the package again.") from gone
    return parse(raw)


def parse(raw: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Read the content of the histogram's file. Raises InvalidInput if it is not whole."""
    lines = raw.decode("ascii", "replace").split()
    rows = [line.partition(",") for line in lines[1:]]
    if (
        not lines
        or lines[0] != "utf8_bytes,count"
        or not all(a.isdigit() and b.isdigit() for a, _, b in rows)
    ):
        raise InvalidInput(_FILE, lines[:1], "a header utf8_bytes,count and whole numbers")
    lengths, counts = tuple(int(a) for a, _, _ in rows), tuple(int(b) for _, _, b in rows)
    if sum(counts) != _MESSAGES:
        raise InvalidInput(_FILE, sum(counts), f"counts of {_MESSAGES} messages", "The file is cut off.")
    return lengths, counts


@cache
def _cumulative() -> tuple[int, ...]:
    return tuple(accumulate(histogram()[1]))


def text_bytes(u: float) -> int:
    """Give the length in bytes, at least 1, at a uniform number in [0, 1)."""
    cumulative = _cumulative()
    return histogram()[0][bisect_right(cumulative, int(u * cumulative[-1]))]


def text(length_bytes: int, u: float) -> str:
    """Make a text of exactly this many UTF-8 bytes; `u` in [0, 1) chooses where in the stock it begins.

    Raises:
        InvalidInput: a length below 1 or above MAX_TEXT_BYTES.
    """
    if not 1 <= length_bytes <= MAX_TEXT_BYTES:
        raise InvalidInput("text length", length_bytes, f"1 to {MAX_TEXT_BYTES} bytes")
    start = int(u * len(_WORDS))
    piece = _TEXT[start : start + length_bytes]
    # A client refuses a text of blanks only, so none stands at either end.
    if piece[0] == " ":
        piece = "o" + piece[1:]
    return piece[:-1] + "." if piece[-1] == " " else piece


def message(u_length: float, u_text: float) -> str:
    """Make one message text from two uniform numbers in [0, 1)."""
    return text(text_bytes(u_length), u_text)
