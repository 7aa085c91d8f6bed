"""The body of a poll, written from a template made once per client.

A poll is the commonest request there is: one batch of signed retrieves in which only cursors, signatures and
the time change. The template is `rpc.batch_body` of `rpc.retrieve_call`s with those places left open, so both
give the same bytes (tested).
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Sequence

from sessionsim.protocol.wire import rpc


class PollTemplate:
    """The poll of one account.

    Args:
        style: the client family.
        account_hex, ed25519_hex: 66 and 64 digits.
        namespaces, max_sizes: one retrieve each, in this order.
    """

    __slots__ = ("_body", "_names", "_signed")

    def __init__(
        self,
        style: rpc.BodyStyle,
        account_hex: str,
        ed25519_hex: str,
        namespaces: Sequence[int],
        max_sizes: Sequence[int],
    ) -> None:
        open_time = style._replace(retrieve=style.retrieve.replace(b"%(timestamp)d", b"%%(time)d"))
        calls = []
        for k, (namespace, max_size) in enumerate(zip(namespaces, max_sizes, strict=True)):
            method, params = rpc.retrieve_call(
                open_time, account_hex, ed25519_hex, namespace, f"%(cursor{k})b", 0, bytes(64), max_size
            )
            calls.append((method, params.replace(_NO_SIGNATURE, b"%%(signature%d)b" % k)))
        self._body = rpc.batch_body(style, calls)
        self._names = [(b"cursor%d" % k, b"signature%d" % k) for k in range(len(namespaces))]
        self._signed = [rpc.signed_text("retrieve", namespace, 0)[:-1] for namespace in namespaces]

    def fill(self, timestamp_ms: int, cursors: Sequence[str], sign: Callable[[bytes], bytes]) -> bytes:
        """Write the body. Args: cursors: last hash per namespace; sign: signs one retrieve."""
        time = b"%d" % timestamp_ms
        values: dict[bytes, bytes | int] = {b"time": timestamp_ms}
        base64 = binascii.b2a_base64
        for (cursor_name, signature_name), signed, cursor in zip(
            self._names, self._signed, cursors, strict=True
        ):
            values[cursor_name] = cursor.encode()
            values[signature_name] = base64(sign(signed + time), newline=False)
        return self._body % values


_NO_SIGNATURE = binascii.b2a_base64(bytes(64), newline=False)
