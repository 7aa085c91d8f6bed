"""Readers: from bytes to terms, by the codecs of the protocol. They give a term or nothing."""

from sessionsim.adversary.readers.answers import (
    read_answer,
    read_answer_ciphertext,
    read_clear_answer,
    read_node_answer,
)
from sessionsim.adversary.readers.frames import FROM_NODE, ONION_HEADS, read_plaintext, read_request

__all__ = [
    "FROM_NODE", "ONION_HEADS", "read_answer", "read_answer_ciphertext", "read_clear_answer",
    "read_node_answer", "read_plaintext", "read_request",
]  # fmt: skip
