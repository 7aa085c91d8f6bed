"""Known answers: judge a file of cases, or write one from our own implementation.

A file holds `sections`, a section `cases`, a case `input`, `expected` and, where the reference drew random
bytes, `randomness`. One function per section runs a case against the product (`_section`); the modules
beside this one hold them, one module a subject.
"""

from __future__ import annotations

from sessionsim.selfcheck.vectors._emit import emit
from sessionsim.selfcheck.vectors._judge import Verdict, judge, read_vectors
from sessionsim.selfcheck.vectors._section import Section, sections

__all__ = ["Section", "Verdict", "emit", "judge", "read_vectors", "sections"]
