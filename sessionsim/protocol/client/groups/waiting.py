"""Wishes about groups that cannot be carried out yet, and those that never can be.

People do things in an order that takes it for granted that everything has arrived: they accept an
invitation, speak, change a group as its admin. A device does each as soon as it can: an invitation may still
be under way, keys may not have come yet, a promotion neither. Who has left a group, or was removed, can do
nothing there any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.intents import File
from sessionsim.protocol.client.groups.standing import OUT, Place, Standing
from sessionsim.protocol.contents import Part

ADMIN_ACTIONS: Final = ("invite", "remove", "promote", "rename")
NOT_IN: Final = "not a member"


@dataclass(frozen=True, slots=True)
class GroupWish:
    """What a person wants to do in a group.

    Args:
        ref: its number.
        what: "text", "remark", or one of `core.intents.GROUP_ACTIONS`.
        body: the text; files: what hangs on it.
        person_ids: whom it is about, 33 bytes each.
        name: the group's name with "create" and "rename".
        history: whether the invited may read what is older.
        remark: a reaction, or a wish that own messages be deleted.
    """

    ref: int
    what: str
    body: str = ""
    person_ids: tuple[bytes, ...] = ()
    name: str = ""
    history: bool = True
    files: tuple[File, ...] = ()
    remark: Part | None = None


class Waiting:
    """The wishes that wait, by group, in their order."""

    def __init__(self) -> None:
        self._wishes: dict[bytes, list[GroupWish]] = {}

    def put(self, group_id: bytes, wish: GroupWish) -> None:
        """Let a wish wait behind those that do."""
        self._wishes.setdefault(group_id, []).append(wish)

    def any(self, group_id: bytes) -> bool:
        """Say whether any wait there."""
        return group_id in self._wishes

    def sort(self, group_id: bytes, standing: Standing | None) -> tuple[list[GroupWish], list[GroupWish]]:
        """Take out, in their order, the wishes that can be carried out now, and those that never can be."""
        wishes = self._wishes.pop(group_id, [])
        can, cannot, left = [], [], []
        comes_back = False  # an invitation is waited for, so nothing behind it is hopeless
        for wish in wishes:
            if standing is not None and _is_possible(wish, standing):
                can.append(wish)
            elif standing is not None and standing.place in OUT and wish.what != "join" and not comes_back:
                cannot.append(wish)
            else:
                comes_back = comes_back or wish.what == "join"
                left.append(wish)
        if left:
            self._wishes[group_id] = left
        return can, cannot


def _is_possible(wish: GroupWish, standing: Standing) -> bool:
    if wish.what == "join":
        return standing.place in (Place.INVITED, Place.IN)
    if wish.what in ADMIN_ACTIONS:
        return standing.admin is not None and standing.can_speak
    return standing.can_speak
