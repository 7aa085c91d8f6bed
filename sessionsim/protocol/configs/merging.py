"""Making one version out of several (messages 5.3).

A version that another names among its lagged diffs is part of that one already; a version five or more behind
the highest is too old. If one remains, it is taken as it is. If more remain, a new version is made from the
data of the highest, with every known change done again in the order of versions, each with the values of the
highest version that carries it. All devices that see the same versions write the same bytes, so what they
push collapses to one message in the swarm.

Who cannot sign cannot write a new version, and takes the highest of those that remain.
Source: libsession-util: src/config.cpp (ConfigMessage from several), docs/api/docs/config-merge-logic.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.configs.diffs import Diff, apply
from sessionsim.protocol.configs.message import LAG, ConfigMessage, Draft, Version
from sessionsim.protocol.configs.values import Tree, copied, prune


def merge(
    messages: Sequence[ConfigMessage],
    *,
    can_write: bool = True,
    lag: int = LAG,
    whole_diff: bool = False,
) -> int | Draft:
    """Decide what several versions amount to.

    Args:
        messages: at least one, in any order; of equal ones the first counts.
        can_write: whether a new version may be made.
        lag: how far behind the highest seqno a version is too old.
        whole_diff: let the diff of a new version hold all its data, as the reference of early 2025 does on a
            device that had no change of its own; False is the documented rule, under which all devices write
            the same.

    Returns:
        The index of the version to take, or the draft of a new one, which must be pushed. What the versions
        held at the top beside the known keys is not carried over, as in the reference.

    Raises:
        LocalProtocolError: no message was given.
    """
    if not messages:
        raise LocalProtocolError("nothing to merge")
    left = _remaining(messages, lag)
    if len(left) > 1 and can_write:
        return _merged([messages[index] for index in left], lag, whole_diff)
    return max(left, key=lambda index: messages[index].version)


def _remaining(messages: Sequence[ConfigMessage], lag: int) -> list[int]:
    highest = max(message.version.seqno for message in messages)
    included = {version for message in messages for version in message.lags}
    left: dict[Version, int] = {}
    for index, message in enumerate(messages):
        version = message.version
        if version not in included and version.seqno > highest - lag:
            left.setdefault(version, index)
    return list(left.values())


def _merged(messages: list[ConfigMessage], lag: int, whole_diff: bool) -> Draft:
    messages.sort(key=lambda message: message.version, reverse=True)
    seqno = messages[0].version.seqno + 1
    changes: dict[Version, tuple[Diff, Tree]] = {}
    for message in messages:
        # The first to name a change, and so the highest version, gives its values.
        changes.setdefault(message.version, (message.diff, message.data))
        for version, diff in message.lags.items():
            changes.setdefault(version, (diff, message.data))
    data = copied(messages[0].data)
    for _, (diff, source) in sorted(changes.items(), key=lambda change: change[0]):
        apply(data, diff, source)
    prune(data)
    lags = {
        version: diff
        for version, (diff, _) in sorted(changes.items(), key=lambda change: change[0])
        if version.seqno > seqno - lag
    }
    return Draft(seqno, data, {} if whole_diff else copied(data), lags, {})
