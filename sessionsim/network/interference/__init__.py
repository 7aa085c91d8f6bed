"""What an active adversary does to a run: the one place where anybody but the weather touches it (A10).

    kinds ──(compiling)──> a Meddler with acts of its own ──(host)──> the run, and a log of what was done

An adversary acts from where one of the scenario's observers stands, and only as that place allows. A node
it operates may do anything with what reaches it: keep it back, drop it, alter it, send it again, send what
nobody asked for, answer as it likes. Whoever holds a link has encrypted records only: it can let them wait or
keep them back; what it alters or repeats is thrown away by TLS and QUIC, so that is not offered there. What
was done is known to the adversary alone, as a log that becomes part of its view.
"""

from sessionsim.network.interference.compiling import compile_interference
from sessionsim.network.interference.kinds import KINDS, Interference
from sessionsim.network.interference.meddler import Meddler

__all__ = ["KINDS", "Interference", "Meddler", "compile_interference"]
