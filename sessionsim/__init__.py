"""sessionsim: the Session messenger network with its real protocol code, as each observer sees it."""

__version__ = "0.1.0"
