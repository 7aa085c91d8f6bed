"""How many devices an account's group has over time, and what its keys cost in the mean with all that.

Devices that nothing is told of, or that begin in the group, are in it from the beginning; the others come
and go as they tell. What comings and goings add is the rule of the protocol, if every member hears of them:
each tells the others once that a device has come or gone, who is new tells of itself, who leaves says so,
and every member that hears of somebody who left changes the account's keys (protocol-v2 5, 8.3); a removal
changes them once. Such a change puts off the next one by half a period in the mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sessionsim.metrics._counts import FloatArray, floats
from sessionsim.metrics._told import DESCRIPTION_BYTES, IN_GROUP, MEMBERSHIP, Told
from sessionsim.metrics.closed_forms.account_key_costs import (
    RECORD_BYTES,
    US_PER_DAY,
    KeyLaw,
    group_message_bytes,
)

_LEFT = "left the group"


class Step(NamedTuple):
    """A device comes or goes. Args: before: members until then; comes; left: by itself, not removed."""

    t_us: int
    account: int
    before: int
    comes: bool
    left: bool


class Memberships:
    """The members of each account of version 2 over the run. Args: told: what its devices have told."""

    def __init__(self, told: Told) -> None:
        self._told = told
        inside = dict.fromkeys(told.device_endpoints.tolist(), True)
        first: set[int] = set()
        members = told.founding_devices.astype(np.int64)
        self.steps: list[Step] = []
        gone = told.named(_LEFT)
        left = set(zip(told.time[gone].tolist(), told.endpoint[gone].tolist(), strict=True))
        columns = (told.time, told.account, told.endpoint, told.what)
        for t_us, account, endpoint, what in zip(*(one.tolist() for one in columns), strict=True):
            if not what.startswith(MEMBERSHIP):
                continue
            now = what == IN_GROUP
            if endpoint not in first:
                first.add(endpoint)
                inside[endpoint] = now
            elif now != inside[endpoint]:
                inside[endpoint] = now
                by_itself = not now and (t_us, endpoint) in left
                self.steps.append(Step(t_us, account, int(members[account]), now, by_itself))
                members[account] += 1 if now else -1

    def stretches(self) -> list[tuple[int, int, float]]:
        """Give account, members and days of each stretch of the measured phase."""
        told, (start_us, end_us) = self._told, self._told.phase_us
        found = []
        for account in np.flatnonzero(told.second).tolist():
            since_us, members = start_us, int(told.founding_devices[account])
            for step in (one for one in self.steps if one.account == account):
                t_us = min(max(step.t_us, start_us), end_us)
                found.append((account, members, (t_us - since_us) / US_PER_DAY))
                since_us, members = t_us, step.before + (1 if step.comes else -1)
            found.append((account, members, (end_us - since_us) / US_PER_DAY))
        return found

    @property
    def member_days(self) -> FloatArray:
        """Days that devices of each account were in its group, in the measured phase."""
        days = np.zeros(self._told.n_accounts)
        for account, members, length in self.stretches():
            days[account] += members * length
        return floats(days)

    def expected(self, law: KeyLaw) -> dict[str, FloatArray]:
        """Give changes of the account's keys, pushes and bytes that are to be expected of each account.

        Returns:
            Nothing where every device pushes every seed and devices come or go: what that adds is not known.
        """
        told, (start_us, end_us) = self._told, self._told.phase_us
        steps = [step for step in self.steps if start_us <= step.t_us < end_us]
        if steps and law.pushed_by_each:
            return {}
        changes, pushes, sizes = (np.zeros(told.n_accounts) for _ in range(3))
        for account, members, length in self.stretches():
            if members:
                changes[account] += length * law.changes_per_day
                pushes[account] += length * law.pushes_per_day(members)
                sizes[account] += length * law.uploaded_per_day(members, DESCRIPTION_BYTES)
        for step in steps:
            after = step.before + (1 if step.comes else -1)
            if not after:
                continue
            size = group_message_bytes(after, law.seeds, DESCRIPTION_BYTES)
            # Who goes is told by itself or by who removes it, and by all others that hear.
            more = 0.0 if step.comes else (after if step.left else 1) - 0.5
            told_by = after if step.comes else after + step.left - 0.5
            changes[step.account] += more
            pushes[step.account] += told_by
            sizes[step.account] += told_by * size + more * RECORD_BYTES
        return {
            "expected changes": floats(changes),
            "expected pushes": floats(pushes),
            "expected bytes": floats(sizes),
        }
