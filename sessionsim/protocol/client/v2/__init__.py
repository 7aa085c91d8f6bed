"""A client of version 2: what it can do beside one of version 1, as parts of the same machine.

`fetches` gets the keys of others, `sealing` encrypts under them or does without, `locked` is the inbox of a
device that may lack keys, `own_group` keeps the device group and the account's keys, `linking` and `deciding`
do what the person wants with devices, `standing` makes groups of before the run. `happenings` names what is
told of all that. Label of results: `protocol.v2.LABEL`.
"""

from __future__ import annotations

from sessionsim.protocol.client.v2.assembly import add_v2, with_namespaces

__all__ = ["add_v2", "with_namespaces"]
