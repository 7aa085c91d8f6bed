"""Configs under the device group's keys, the what-if of hole H9: they follow the account's seeds.

Whoever changes the account's keys pushes the configs again under the new ones, as after a rekey of a group;
the others take the new keys when they hear of them, and read what they could not. A device outside the group
reads no config and pushes none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionsim.protocol.v2 import AccountSeed
from sessionsim.protocol.v2.config_keys import config_keys
from sessionsim.protocol.v2.devices import DeviceGroup

if TYPE_CHECKING:
    from sessionsim.protocol.client.configs.part import AccountConfigs

_NONE: tuple[AccountSeed, ...] = ()


class ConfigKeys:
    """Ties configs to a device group. Args: group: of a device; configs: of its account, with its keys."""

    def __init__(self, group: DeviceGroup, configs: AccountConfigs) -> None:
        self._group, self._configs = group, configs
        self._followed = self._shared()

    def _shared(self) -> tuple[AccountSeed, ...]:
        return self._group.seeds if self._group.is_member else _NONE

    def follow(self, now_us: int) -> None:
        """Compare the seeds with those that were there, after whatever may have changed them."""
        group, seeds = self._group, self._shared()
        if seeds is not self._followed:
            self._followed = seeds
            made_here = group.is_member and group.made_active
            self._configs.rekey(config_keys(seeds), now_us, made_here=made_here)
