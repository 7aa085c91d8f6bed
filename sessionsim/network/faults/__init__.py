"""What fails during a run: declared in a scenario, compiled into a plan before the run, and carried out.

    kinds ──(compiling, spells, whom)──> plan of timed changes ──(trouble, passage)──> the host

A plan is a function of scenario and seed alone; nothing is drawn while the run goes on but from the address
of the transmission it concerns.
"""

from sessionsim.network.faults.compiling import compile_plan, with_turns
from sessionsim.network.faults.kinds import KINDS, Fault
from sessionsim.network.faults.plan import Answer, Plan, Turn, What
from sessionsim.network.faults.trouble import Trouble

__all__ = ["KINDS", "Answer", "Fault", "Plan", "Trouble", "Turn", "What", "compile_plan", "with_turns"]
