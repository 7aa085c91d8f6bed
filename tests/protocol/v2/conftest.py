"""People of V2: accounts with account keys, under both suites; and a swarm for the devices of one account."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import Suite, suite_named
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.v2 import HybridKeys, V2Rules, account_keys
from sessionsim.protocol.v2.devices import About, DeviceGroup, IncomingRequest, Taken

HOUR_US = 3_600_000_000
NOW_US = 1_777_000_000_000_000


def raw(name: object, size: int = 64) -> bytes:
    """Give bytes that belong to a name."""
    return hashlib.shake_128(repr(name).encode()).digest(size)


@dataclass(frozen=True)
class Cast:
    """Who plays in a test. Args: held: account keys of the recipient, three of them."""

    suite: Suite
    alice: Account
    bob: Account
    eve: Account
    held: list[HybridKeys]

    @staticmethod
    def raw(name: object, size: int = 64) -> bytes:
        return raw(name, size)

    @staticmethod
    def account(name: object) -> Account:
        return account_from_seed(raw(name, 16))


def make_cast(suite: Suite) -> Cast:
    held = [account_keys(suite, raw(("account seed", k), 32)) for k in range(3)]
    return Cast(suite, *(Cast.account(name) for name in ("alice", "bob", "eve")), held)


CASTS = {name: make_cast(suite_named(name)) for name in ("fast", "sodium")}


@pytest.fixture(params=list(CASTS))
def cast(request: pytest.FixtureRequest) -> Cast:
    return CASTS[request.param]


@pytest.fixture(scope="session")
def fast() -> Cast:
    """The cast with the cheap suite, for tests in which the curve does not matter."""
    return CASTS["fast"]


@dataclass
class Swarm:
    """Namespaces 21 and −21 of one account, and its devices. Time moves only when told to."""

    suite: Suite
    rules: V2Rules = field(default_factory=V2Rules)
    now_us: int = NOW_US
    record: bytes = b""
    stored: dict[str, tuple[bytes, int, int]] = field(default_factory=dict)
    every: list[bytes] = field(default_factory=list)  # all group messages ever stored, deleted ones too
    pushes: int = 0

    account: ClassVar[Account] = account_from_seed(raw("account", 16))

    def device(self, name: object) -> DeviceGroup:
        """Set a device up."""
        return DeviceGroup(
            self.suite, self.account, Entropy(raw(name, 32)), self.now_us, self.rules, About(str(name))
        )

    def first(self, name: object = "first") -> DeviceGroup:
        """Give the first device of a new account, its group pushed."""
        device = self.device(name)
        device.establish(self.now_us)
        self.sync(device)
        return device

    def later(self, hours: float) -> None:
        """Let time pass."""
        self.now_us += round(hours * HOUR_US)

    def store(self, message: bytes, ttl_h: float = 720) -> str:
        """Store a message; gives its hash."""
        name = hashlib.sha256(message).hexdigest()[:12]
        now_ms = self.now_us // 1000
        self.stored[name] = (message, now_ms, now_ms + round(ttl_h * 3_600_000))
        return name

    def fetch(self, device: DeviceGroup) -> list[Taken | IncomingRequest | None]:
        """Hand a device all that is stored, oldest first."""
        found = [
            device.receive(message, name, stored_ms, expires_ms, self.now_us)
            for name, (message, stored_ms, expires_ms) in list(self.stored.items())
        ]
        device.fetched()
        return found

    def push(self, device: DeviceGroup) -> bool:
        """Let a device push what it owes. Returns whether it did."""
        needs = device.needs_push()
        if needs.record:
            self.record = device.build_record()
            device.see_record(self.record)
        if needs.group:
            push = device.build_push(self.now_us)
            name = self.store(push.message)
            for old in push.obsolete:
                self.stored.pop(old, None)
            device.confirm_push(push, name, self.now_us)
            self.every.append(push.message)
            self.pushes += 1
        return needs.group

    def sync(self, *devices: DeviceGroup) -> None:
        """Let devices, one after the other, fetch, do what is due, and push."""
        for device in devices:
            self.fetch(device)
            device.act(self.now_us)
            self.push(device)

    def settle(self, *devices: DeviceGroup) -> None:
        """Let devices fetch and push until none has anything to push."""
        for _round in range(10):
            before = self.pushes
            self.sync(*devices)
            if self.pushes == before:
                return
        raise AssertionError("the devices go on pushing")

    def link(self, member: DeviceGroup, name: object) -> DeviceGroup:
        """Link a new device to a member's group, both persons confirming."""
        device = self.device(name)
        self.fetch(device)
        self.ask(device, member.group_id)
        self.admit(member)
        assert device.confirm_link(self.now_us) is None
        self.sync(device)
        return device

    def ask(self, device: DeviceGroup, group_id: bytes) -> None:
        """Store a device's request."""
        asked = device.request_link(group_id, self.now_us)
        self.store(asked.message, 1 / 6)
        device.request_stored(asked.asked_s, True, self.now_us)

    def admit(self, member: DeviceGroup) -> None:
        """Let a member accept the one request that is open."""
        self.fetch(member)
        (request,) = member.requests
        assert member.accept(request, self.now_us)
        self.push(member)

    def group_of(self, count: int) -> list[DeviceGroup]:
        """Give so many linked devices that have heard of each other."""
        devices = [self.first("device 0")]
        for k in range(1, count):
            devices.append(self.link(devices[0], f"device {k}"))
            self.later(0.01)
        self.settle(*devices)
        return devices


@pytest.fixture
def swarm() -> Swarm:
    return Swarm(CASTS["fast"].suite)


@pytest.fixture(scope="session")
def make_swarm() -> type[Swarm]:
    return Swarm
