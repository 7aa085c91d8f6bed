"""The validation suite: estimators and attacks against closed forms (metrics section 7, V1-V28).

One module a family; a check is a function with a decorator (`_check`). `sessionsim validate` runs them at
full size, `tests/verification` at reduced size.
"""

from __future__ import annotations

from sessionsim.selfcheck.validate._check import (
    FAILED,
    NEEDS_FILE,
    PASSED,
    Check,
    Verdict,
    checks,
    named,
    perform,
)
from sessionsim.selfcheck.validate._finding import Finding, described

__all__ = [
    "FAILED", "NEEDS_FILE", "PASSED", "Check", "Finding", "Verdict", "checks", "described", "named",
    "perform",
]  # fmt: skip
