"""What bytes say once they are read: the typed terms of deduction. No keys here, and no conclusions.

    outer frame, hop message   a `Layer`: a ciphertext, the ephemeral key and cipher it names, its addressee
    storage RPC, node to node  a `Body` of `Call`s: method and the fields beside it; batches are flattened
    requests to servers        the same: method and path, with headers and body as fields
    answers                    an `Answer` of `Result`s, one per call

Only the codecs of the protocol read bytes (`readers`); what they reject is no term. What they pass over,
since no reader of the protocol looks at it, is kept as `beside`: a field that nobody needs may still say
something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sessionsim.protocol.crypto.layer import OVERHEAD_BYTES
from sessionsim.protocol.server_request import ServerRequest

# Shorter strings hold no nonce and tag, so they are not random and may occur twice. Source: transport 3.3.
MIN_CIPHERTEXT_BYTES: Final = min(OVERHEAD_BYTES.values())
NOTHING: Final[Mapping[str, Any]] = {}
UNKNOWN: Final = -1
# How the answer to an onion request is written: by a node, in base64 or not, or by a server.
BASE64: Final = "base64"
RAW: Final = "raw"
SERVER_V4: Final = "v4"
SERVER_V3: Final = "v3"


class Layer(NamedTuple):
    """One onion layer, still closed.

    Args:
        ciphertext: what it holds.
        ephemeral: the sender's passing key.
        enc_type: name of the cipher.
        addressee: endpoint of who opens it; UNKNOWN where only a name is given.
        beside: fields that stand beside it and mean nothing to the protocol.
        server: SERVER_V4 or SERVER_V3 where a server opens it; empty for a node.
    """

    ciphertext: bytes
    ephemeral: bytes
    enc_type: str
    addressee: int
    beside: Mapping[str, Any] = NOTHING
    server: str = ""


class Call(NamedTuple):
    """One thing that is asked for or told.

    Args:
        method: its name.
        account: the 33-byte id it is about; empty if it names none.
        fields: its parameters, unchecked.
    """

    method: str
    account: bytes
    fields: Mapping[str, Any]


class Body(NamedTuple):
    """A whole request in clear.

    Args:
        calls: in order.
        beside: fields around them that mean nothing.
        to_server: the request as a server gets it, which its headers may sign; None for one to a node.
        shape: names of its fields in the order in which they stand; empty for what is not JSON of a client.
    """

    calls: tuple[Call, ...]
    beside: Mapping[str, Any] = NOTHING
    to_server: ServerRequest | None = None
    shape: tuple[str, ...] = ()


class Innermost(NamedTuple):
    """What the last layer of a request held. Args: style: how its answer is written, one of those above."""

    body: Body
    style: str


class Result(NamedTuple):
    """The answer to one call. Args: code: its status; fields: the object in its body; empty for none."""

    code: int
    fields: Mapping[str, Any]


class Answer(NamedTuple):
    """A whole answer.

    Args:
        results: one per call answered.
        beside: fields around them.
        unread: its body, where that is of no known form.
    """

    results: tuple[Result, ...]
    beside: Mapping[str, Any] = NOTHING
    unread: bytes = b""


Request = Layer | Body | None
