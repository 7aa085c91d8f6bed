"""What clients of version 2 told truth, as columns with the account each row belongs to.

Names of events and what their value is: `protocol.client.v2.happenings`. Rows of servers and nodes belong to
no account. Only rows inside the measured phase count; what a device was at the time of a row, whether in the
account's group for instance, follows from all rows before it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.metrics._counts import FloatArray, floats
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics.closed_forms.account_key_costs import KeyLaw

Mask = npt.NDArray[np.bool_]
IN_GROUP: Final = "membership in group"
MEMBERSHIP: Final = "membership "
DESCRIPTION_BYTES: Final = len("device 0")  # Source: protocol.client.v2.standing


class Told:
    """The events of a replicate. Columns of shape (n_rows,). Args: replicate: with truth."""

    def __init__(self, replicate: Replicate) -> None:
        truth = replicate.truth
        self._replicate, self.n_accounts = replicate, replicate.n_accounts
        endpoint, owner = (truth.devices[name].astype(np.int64) for name in ("endpoint", "account"))
        self.owner, self.device_endpoints = owner, endpoint
        self.phase_us = (int(truth.start_us), int(truth.end_us))
        last = int(endpoint.max())
        account_at = np.full(last + 1, -1, dtype=np.int64)
        account_at[endpoint] = owner
        at = truth.events["endpoint"].astype(np.int64)
        account = account_at[np.minimum(at, last)]
        account[at > last] = -1
        rows = np.flatnonzero(account >= 0)
        self.account, self.endpoint = account[rows], at[rows]
        self.what = truth.events["what"].astype(str)[rows]
        self.time = truth.events["t_us"].astype(np.int64)[rows]
        self.value = truth.events["value"].astype(np.float64)[rows]
        self.message = truth.events["message"].astype(np.int64)[rows]
        self.inside: Mask = (self.time >= truth.start_us) & (self.time < truth.end_us)
        self.second: Mask = truth.accounts["version"].astype(np.int64) == 2

    def count(self, chosen: Mask, weight: FloatArray | None = None) -> FloatArray:
        """Add up chosen rows of the measured phase by account, shape (n_accounts,)."""
        rows = self.inside & chosen
        return floats(
            np.bincount(self.account[rows], None if weight is None else weight[rows], self.n_accounts)
        )

    def named(self, *names: str) -> Mask:
        """Choose rows by what happened."""
        return np.isin(self.what, names)

    @property
    def days(self) -> FloatArray:
        """Measured days of each account of version 2."""
        return floats(self.second * self._replicate.measured_days)

    @property
    def devices(self) -> FloatArray:
        """Devices of each account."""
        return floats(np.bincount(self.owner, minlength=self.n_accounts))

    @property
    def outside(self) -> Mask:
        """Say of each row whether its device was in no group then, as far as it had told."""
        outside = np.zeros(len(self.what), dtype=bool)
        stands: dict[int, bool] = {}
        for row, (endpoint, what) in enumerate(zip(self.endpoint.tolist(), self.what.tolist(), strict=True)):
            if what.startswith(MEMBERSHIP):
                stands[endpoint] = what != IN_GROUP
            outside[row] = stands.get(endpoint, False)
        return outside

    @property
    def founding_devices(self) -> FloatArray:
        """Devices of each account that were in its group from the beginning."""
        first: dict[int, str] = {}
        for endpoint, what in zip(self.endpoint.tolist(), self.what.tolist(), strict=True):
            if what.startswith(MEMBERSHIP):
                first.setdefault(endpoint, what)
        endpoints = self._replicate.truth.devices["endpoint"].tolist()
        there = [first.get(endpoint, IN_GROUP) == IN_GROUP for endpoint in endpoints]
        return floats(np.bincount(self.owner[np.array(there, dtype=bool)], minlength=self.n_accounts))


def law_of(replicate: Replicate) -> KeyLaw | None:
    """Read the settings that decide what keys cost; None if they are not known."""
    settings = replicate.version2
    if not settings:
        return None
    periodic = settings["device_key_rotation"] == "periodic"
    # A group holds no keys of before its beginning.
    oldest_us = float(settings["group_age_us"]) + replicate.truth.end_us
    return KeyLaw(
        float(settings["account_key_period_us"]),
        min(float(settings["account_key_retention_us"]), oldest_us),
        float(settings["device_key_period_us"]) if periodic else 0.0,
        settings["received_seeds"] == "undistributed",
    )
