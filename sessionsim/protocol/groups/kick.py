"""Telling removed members that they were removed (messages 4.4).

A removed member's token is revoked and the next key is not for it, so it would only find that the group is
silent. Namespace −11 stays readable for it; there lies, encrypted from the group to each of the removed:

    X25519 key of the member (32 bytes) ‖ current generation in decimal

The generation tells an old kick from a new one: who was added again holds a newer key and ignores it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.groups.derivation import ids_in_hex
from sessionsim.protocol.groups.identity import Group, group_x25519
from sessionsim.protocol.identity import Account
from sessionsim.protocol.multi_encrypt import decrypt_simple, encrypt_simple

KICK_DOMAIN: Final = b"SessionGroupKickedMessage"  # Source: messages 4.4
_KEY_BYTES: Final = 32  # of X25519
# Assumption: canonical, as every client writes it; Desktop would read any number of JavaScript.
_GENERATION: Final = re.compile(rb"0|[1-9]\d{0,18}", re.ASCII)


def kick_message(
    suite: Suite, group: Group, removed_ids: Sequence[bytes], generation: int, nonce24: bytes
) -> bytes:
    """Write what goes to namespace −11.

    Args:
        removed_ids: account ids, 33 bytes.
        generation: the newest before the rekey that shuts the removed out, `KeyRing.generation`.
        nonce24: 24 bytes never used before.

    Raises:
        LocalProtocolError: an id that is no account id, or a nonce of wrong length.
        CannotOpen: an account id that holds no usable key.
    Source: messages 4.4; session-desktop: ts/session/utils/job_runners/jobs/GroupPendingRemovalsJob.ts.
    """
    ids_in_hex(removed_ids)
    recipients = [removed[1:] for removed in removed_ids]
    messages = [b"%b%d" % (recipient, generation) for recipient in recipients]
    return encrypt_simple(suite, messages, recipients, nonce24, group.x, KICK_DOMAIN)


def read_kick(suite: Suite, group_id: bytes, account: Account, raw: bytes) -> int:
    """Look for oneself in what lies in namespace −11.

    Returns:
        The generation at which the account was removed.

    Raises:
        CannotOpen: it is about others.
        RemoteProtocolError: not of this form, or naming another account.
    Source: messages 4.4; session-desktop: ts/receiver/libsession/handleLibSessionMessage.ts.
    """
    found = decrypt_simple(suite, raw, account.x, group_x25519(group_id), KICK_DOMAIN)
    if found is None:
        raise CannotOpen("a kick of others")
    if found[:_KEY_BYTES] != account.id[1:] or not _GENERATION.fullmatch(found[_KEY_BYTES:]):
        raise RemoteProtocolError("a kick that names another account or no generation")
    return int(found[_KEY_BYTES:])


def is_out(kicked_generation: int, own_generation: int) -> bool:
    """Say whether a kick counts: not if the member holds a newer key, so was added again since.

    Args:
        own_generation: `KeyRing.generation`.

    Source: session-desktop: ts/receiver/libsession/handleLibSessionMessage.ts.
    """
    return kicked_generation >= own_generation
