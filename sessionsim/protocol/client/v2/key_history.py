"""Which keys of version 2 a device has had, and from when until when: what a thief of it could take.

The seeds of the account's keys come with the device group and are forgotten when their time is over, or with
the group; a device's own seeds are forgotten some time after it has changed them. So a device at some moment
opens what is under keys of a window of time, and nothing older: that is all the forward secrecy there is
(protocol-v2 12). A client keeps no such list; this is written down for truth, after each step that may have
changed something, and is read by no protocol code.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sessionsim.protocol.v2.devices import DeviceGroup

ACCOUNT_SEED: Final = "account seed"
DEVICE_SEED: Final = "device seed"
STILL: Final = -1


class HeldSeed(NamedTuple):
    """A seed that a device holds or has held.

    Args:
        kind: `ACCOUNT_SEED` or `DEVICE_SEED`.
        public: X25519 key that follows from it.
        seed: 32 bytes.
        since_us: when the device had it first, simulated µs; 0 for before the run.
        gone_us: when it had it no more; STILL if it has it.
    """

    kind: str
    public: bytes
    seed: bytes
    since_us: int
    gone_us: int = STILL


class KeyHistory:
    """The seeds of one device over time. Args: group: what the device knows."""

    def __init__(self, group: DeviceGroup) -> None:
        self._group = group
        self._now: dict[tuple[str, bytes], HeldSeed] = {}
        self._gone: list[HeldSeed] = []
        self._looked: object = None

    @property
    def all(self) -> tuple[HeldSeed, ...]:
        """All seeds, those that are gone first, in the order in which they went."""
        return (*self._gone, *self._now.values())

    def note(self, now_us: int) -> None:
        """Compare what the device holds with what it held."""
        group = self._group
        looked = group.seeds, group.device_seeds
        if looked == self._looked:
            return
        self._looked = looked
        found = {
            (ACCOUNT_SEED, held.seed): keys
            for held, keys in zip(group.seeds, group.account_keys, strict=True)
        }
        found |= {
            (DEVICE_SEED, seed): keys
            for seed, keys in zip(group.device_seeds, group.device_keys, strict=True)
        }
        for name in [name for name in self._now if name not in found]:
            self._gone.append(self._now.pop(name)._replace(gone_us=now_us))
        for name, keys in found.items():
            if name not in self._now:
                self._now[name] = HeldSeed(name[0], keys.x.public, name[1], now_us)
