"""How the answers of a node leave it: in the clear, with a status of HTTP or QUIC, or sealed for an onion."""

from __future__ import annotations

from typing import Final

from sessionsim.core.columns import Transport
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.machine import SEND, Effect
from sessionsim.protocol.snode._jobs import Job
from sessionsim.protocol.snode._standing import Standing
from sessionsim.protocol.wire.filling import fill_clear
from sessionsim.protocol.wire.onion import seal_answer
from sessionsim.protocol.wire.rpc_answers import Answer, quic_error
from sessionsim.protocol.wire.rpc_direct import clear_answer
from sessionsim.protocol.wire.unsealed import UnsealedRequest

_HTTPS: Final = int(Transport.HTTPS)
_QUIC: Final = int(Transport.QUIC)
_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport


class Replies:
    """The answers of one node. Args: standing: its own; entropy: its addressed chance, for nonces."""

    def __init__(self, standing: Standing, entropy: Entropy) -> None:
        self._standing, self._entropy = standing, entropy
        self.multiple_bytes = 0  # what sealed answers are filled up to (defences); 0: not at all

    def not_ready(self, src: int, conn: int, exchange: int) -> Effect:
        """Answer while the node takes no requests."""
        text = self._standing.not_ready(conn & _TRANSPORT == _HTTPS)
        return self.reply(src, conn, exchange, 503, text)

    def reply(self, src: int, conn: int, exchange: int, status: int, body: bytes) -> Effect:
        """Answer in the clear; what comes sealed from further on is passed on as it is."""
        quic = status != 200 and conn & _TRANSPORT == _QUIC
        if status != 200 and self.multiple_bytes:
            beside = len(quic_error(status, b"")) if quic else 0
            body = fill_clear(body, self.multiple_bytes, beside)
        return (SEND, src, conn, exchange, status, quic_error(status, body) if quic else body, 0)

    def finished(self, job: Job, answer: Answer | None) -> Effect:
        """Answer a client's request. Args: answer: that of the call inside every ifelse, if there is any."""
        layer = job.layer
        if job.outcomes:
            answer = self._standing.conditional(answer, job.outcomes)
        assert answer is not None
        if layer is None:
            quic = job.conn & _TRANSPORT == _QUIC
            status, body = clear_answer(answer, job.direct, job.asked, quic=quic)
            if self.multiple_bytes and answer[2] and not job.direct:  # JSON, for a client of HTTPS
                body = fill_clear(body, self.multiple_bytes)
            return self.reply(job.src, job.conn, job.exchange, status, body)
        return self.sealed(
            job.src, job.conn, job.exchange, layer, job.ephemeral, answer, job.as_json, job.as_base64
        )

    def sealed(
        self,
        src: int,
        conn: int,
        exchange: int,
        layer: Layer | UnsealedRequest,
        ephemeral: bytes,
        answer: Answer,
        as_json: bool = False,
        as_base64: bool = True,
    ) -> Effect:
        """Answer through an onion: only the client learns the status."""
        status, body, is_json = answer
        if isinstance(layer, UnsealedRequest):
            return (SEND, src, conn, exchange, 200, layer.answered(status, body), 0)
        # A request can be sent twice; another answer to it under the same key must have another nonce.
        nonce = self._entropy.draw(b"answer%b%d %b" % (ephemeral, status, body))
        sealed = seal_answer(
            layer, status, body, nonce, as_json=as_json and is_json, as_base64=as_base64,
            multiple_bytes=self.multiple_bytes,
        )  # fmt: skip
        return (SEND, src, conn, exchange, 200, sealed, 0)
