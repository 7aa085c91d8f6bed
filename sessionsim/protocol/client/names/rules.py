"""How the platforms look up a name, as numbers a scenario may change (client-behaviour 6.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import setting
from sessionsim.protocol.names import NODES_THAT_AGREE

_SOURCE: Final = (
    "client-behaviour 6.5: several nodes must agree; session-desktop: "
    "ts/session/apis/snode_api/onsResolve.ts; Assumption: phones alike"
)


@dataclass(frozen=True, slots=True)
class NameRules:
    """The name look-ups of one platform."""

    nodes: int = setting(
        NODES_THAT_AGREE, low=1, high=63,
        doc="Random nodes that are asked whose a name is, all at once.", source=_SOURCE,
    )  # fmt: skip
    agreement: int = setting(
        NODES_THAT_AGREE, low=1, high=63,
        doc="How many of them must answer; two that answer differently spoil the look-up. Not above nodes.",
        source=_SOURCE,
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.agreement > self.nodes:
            raise InvalidInput("agreement", self.agreement, f"at most nodes, which is {self.nodes}")


PLATFORMS: Final = {name: NameRules() for name in ("android", "desktop", "ios")}
