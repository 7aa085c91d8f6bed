"""Devices that come and go while things happen: in the end the members are of one mind, over a real swarm.

`v2/devices/test_convergence.py` loses and reorders group messages at will; here the losses are those of
devices that are off in the middle of a read or a push, of pushes that cross, and of late answers.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.protocol.v2.devices import State

SECOND_US, MINUTE_US, HOUR_US = 1_000_000, 60_000_000, 3_600_000_000
EPOCH_US = 1_777_000_000_000_000
GONE = (State.LEFT, State.KICKED)


class Story:
    """Things that happen to the devices of an account, drawn from a number."""

    def __init__(self, net: Any, count: int, luck: int) -> None:
        self.net, self.chance = net, Random(luck)
        self.devices = net.linked("ann", count)
        self.ben = net.established("ben")
        self.sent = 0

    def step(self) -> None:
        """Let one thing happen, and some time pass: so little that requests are under way, or hours."""
        device = self.chance.choice(self.devices)
        act = self.chance.choice(
            (self.switch, self.switch, self.switch, self.rotate, self.describe, self.write, self.write,
             self.remove, self.leave, self.come_back, self.come_back)
        )  # fmt: skip
        act(device)
        self.net.run(self.chance.choice((0, 15_000, 70_000, SECOND_US, MINUTE_US, 7 * HOUR_US)))

    def switch(self, device: Any) -> None:
        self.net.turn(device, on=not device.on)

    def rotate(self, device: Any) -> None:
        if device.on and device.group.is_member:
            device.group.rotate_account_keys(EPOCH_US + self.net.now_us)
            self.describe(device)

    def describe(self, device: Any) -> None:
        if device.on:
            self.net.tell(device, "describe-device", str(self.chance.random()))

    def write(self, _device: Any) -> None:
        self.net.tell(self.ben, "send", self.sent, self.devices[0].client.account.id, f"text {self.sent}")
        self.sent += 1

    def remove(self, device: Any) -> None:
        other = self.chance.choice(self.devices)
        if device.on and other is not device and self.chance.random() < 0.3:
            self.net.tell(device, "remove-device", other.group.device_id)

    def leave(self, device: Any) -> None:
        if device.on and self.chance.random() < 0.1:
            self.net.tell(device, "leave-group")

    def come_back(self, device: Any) -> None:
        """A device that is out asks to be let in as another one, and some member has the person before it."""
        members = [one for one in self.devices if one.on and one.group.is_member]
        if device.on and members and device not in members:
            self.net.tell(device, "renew-identity")
            self.net.tell(self.chance.choice(members), "accept-links", SECOND_US, 5 * MINUTE_US)
            self.net.tell(device, "link", SECOND_US)

    def settle(self) -> list[Any]:
        """Switch everything on, let a day pass, and have all read what changed last; gives the members."""
        for device in self.devices:
            if not device.on:
                self.net.turn(device, on=True)
        self.net.run(26 * HOUR_US)
        for device in self.devices * 2:
            self.net.tell(device, "poll")
            self.net.run(2 * SECOND_US)
        return [device for device in self.devices if device.group.is_member]


def told(net: Any, count: int, luck: int, steps: int) -> Story:
    story = Story(net, count, luck)
    for _ in range(steps):
        story.step()
    return story


def check(story: Story) -> None:
    members = story.settle()
    for device in members[1:]:
        assert device.group.seeds == members[0].group.seeds
        assert device.group.devices() == members[0].group.devices()
    if members:
        assert {device.group.device_id for device in members} == {
            device_id for device_id, state in members[0].group.devices().items() if state is State.REGISTERED
        }
        # Whoever is out does not hold the key that a day has brought.
        newest = members[0].group.seeds[0].seed
        for device in story.devices:
            if device not in members:
                assert newest not in {held.seed for held in device.group.seeds}
        # Everything that came is read by every member, once.
        for device in members:
            assert sorted(device.bodies) == sorted(f"text {k}" for k in range(story.sent))


@given(luck=st.integers(0, 1 << 40), count=st.integers(1, 8), steps=st.integers(0, 25))
@settings(deadline=None, max_examples=10, derandomize=True)
def test_members_are_of_one_mind_and_read_everything(
    make_net: Any, luck: int, count: int, steps: int
) -> None:
    check(told(make_net(), count, luck, steps))


@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_so_they_do_with_either_suite(make_net: Any, suite: str) -> None:
    check(told(make_net(suite), 3, 5, 20))
