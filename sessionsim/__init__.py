"""sessionsim: the Session messenger network, simulated with its real protocol code and seen by every observer."""

__version__ = "0.1.0"
