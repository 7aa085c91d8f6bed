"""How the set of nodes changes during a run: who comes, leaves, rests and returns, block by block.

    roster      all nodes there are going to be, each with its endpoint
    comings     who comes and leaves, by rates or as the dated lists say; who is off for long
    history     the blocks that change something, each with its node list

Compiled before the run, from scenario and seed alone; the host then tells each node of each block.
"""

from sessionsim.network.membership.happenings import with_blocks
from sessionsim.network.membership.history import Block, History, compile_history, tell_nodes
from sessionsim.network.membership.roster import Roster, make_roster
from sessionsim.network.membership.rules import MembershipRules

__all__ = [
    "Block",
    "History",
    "MembershipRules",
    "Roster",
    "compile_history",
    "make_roster",
    "tell_nodes",
    "with_blocks",
]
