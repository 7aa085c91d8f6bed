"""The body of a poll, written from a template made once per client.

A poll is the commonest request there is: one batch of signed retrieves in which only cursors, signatures and
the time change. Boxes that anyone may read are read unsigned. The template is `rpc.batch_body` of the calls
of `rpc` with those places left open, so both give the same bytes (tested).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Sequence

from sessionsim.protocol.namespaces import is_open_to_read
from sessionsim.protocol.wire import rpc


class PollTemplate:
    """The poll of one account.

    Args:
        style: the client family.
        account_hex, ed25519_hex: 66 and 64 digits.
        namespaces, max_sizes: one retrieve each, in this order.
    """

    __slots__ = ("_cursors", "_pieces", "_signatures", "_signed", "_times")

    def __init__(
        self,
        style: rpc.BodyStyle,
        account_hex: str,
        ed25519_hex: str,
        namespaces: Sequence[int],
        max_sizes: Sequence[int],
    ) -> None:
        open_time = style._replace(retrieve=style.retrieve.replace(b"%(timestamp)d", _TIME))
        calls = []
        for namespace, max_size in zip(namespaces, max_sizes, strict=True):
            if is_open_to_read(namespace):
                calls.append(rpc.open_retrieve_call(account_hex, namespace, _CURSOR.decode(), max_size))
                continue
            method, params = rpc.retrieve_call(
                open_time, account_hex, ed25519_hex, namespace, _CURSOR.decode(), 0, bytes(64), max_size
            )
            calls.append((method, params.replace(_NO_SIGNATURE, _SIGNATURE)))
        # The text between the open places, and what belongs in each of them.
        self._pieces = _PLACES.split(rpc.batch_body(style, calls))
        self._times, self._cursors, self._signatures = (
            [k for k, piece in enumerate(self._pieces) if piece == place]
            for place in (_TIME, _CURSOR, _SIGNATURE)
        )
        self._signed = [
            rpc.signed_start("retrieve", namespace)
            for namespace in namespaces
            if not is_open_to_read(namespace)
        ]

    def fill(
        self,
        timestamp_ms: int,
        cursors: Sequence[str],
        sign: Callable[[bytes], bytes],
        extras: Sequence[rpc.Call] = (),
    ) -> bytes:
        """Write the body.

        Args:
            cursors: last hash per namespace.
            sign: signs one retrieve.
            extras: further calls of the batch, at its end.
        """
        time = b"%d" % timestamp_ms
        pieces = self._pieces.copy()
        for place in self._times:
            pieces[place] = time
        for place, cursor in zip(self._cursors, cursors, strict=True):
            pieces[place] = cursor.encode()
        base64 = binascii.b2a_base64
        for place, signed in zip(self._signatures, self._signed, strict=True):
            pieces[place] = base64(sign(signed + time), newline=False)
        if extras:
            pieces[-1] = pieces[-1].replace(_END, _tail(extras) + _END)
        return b"".join(pieces)

    @staticmethod
    def extra_bytes(extras: Sequence[rpc.Call]) -> int:
        """Give by how much further calls make the body longer."""
        return len(_tail(extras))

    def length(self, cursor_characters: int) -> int:
        """Give how long `fill` makes the body, whatever the signatures; times have 13 digits until 2286."""
        written = sum(map(len, self._pieces)) - len(self._cursors) - len(self._times) - len(self._signatures)
        signature = len(_NO_SIGNATURE)
        return written + 13 * len(self._times) + signature * len(self._signatures) + cursor_characters


def _tail(extras: Sequence[rpc.Call]) -> bytes:
    return b"".join([b',{"method":"%b","params":%b}' % call for call in extras])


_END = b"]}}"  # what a batch ends with
_NO_SIGNATURE = binascii.b2a_base64(bytes(64), newline=False)
# Marks of the open places; no byte of a body is like them.
_TIME, _CURSOR, _SIGNATURE = b"\x00", b"\x01", b"\x02"
_PLACES = re.compile(rb"([\x00\x01\x02])")
