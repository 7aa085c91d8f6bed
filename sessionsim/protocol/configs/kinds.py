"""The kinds of config: where each is stored, and under which name it is encrypted (messages 5.1).

The four of an account are encrypted with its seed and wrapped in the protobuf of older clients. The two of a
group are encrypted with the group's newest key and signed by the group. A group's keys (namespace 12) are no
config of this form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.protocol import namespaces


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of config.

    Args:
        namespace: where it is stored.
        domain: the name that goes into its encryption.
        wrapped_kind: its number in the protobuf wrapper; 0 for a group's, which is signed and not wrapped.
    """

    namespace: int
    domain: bytes
    wrapped_kind: int = 0

    @property
    def of_group(self) -> bool:
        """Say whether it belongs to a group and not to an account."""
        return not self.wrapped_kind


# Source of all: messages 5.1, 5.5; libsession-util: include/session/config/*.hpp, src/config/protos.cpp.
USER_PROFILE: Final = Kind(namespaces.USER_PROFILE, b"UserProfile", 1)
CONTACTS: Final = Kind(namespaces.CONTACTS, b"Contacts", 2)
CONVERSATIONS: Final = Kind(namespaces.CONVO_INFO_VOLATILE, b"ConvoInfoVolatile", 3)
USER_GROUPS: Final = Kind(namespaces.USER_GROUPS, b"UserGroups", 4)
GROUP_INFO: Final = Kind(namespaces.GROUP_INFO, b"groups::Info")
GROUP_MEMBERS: Final = Kind(namespaces.GROUP_MEMBERS, b"groups::Members")

KINDS: Final = {
    kind.namespace: kind
    for kind in (USER_PROFILE, CONTACTS, CONVERSATIONS, USER_GROUPS, GROUP_INFO, GROUP_MEMBERS)
}
