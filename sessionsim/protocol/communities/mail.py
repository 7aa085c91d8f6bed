"""What a message in a community's inbox is recognised by (messages 3.2, 8).

The server gives each copy a number; a message that was sent again since its answer was lost has two. So
clients here go by the bytes, and tell the writer's copy from the reader's.
"""

from __future__ import annotations

import hashlib
from typing import Final

_NAME_BYTES: Final = 32


def mail_names(sealed: bytes) -> tuple[str, str]:
    """Give the names of a message in the inbox and in the outbox. Args: sealed: as of `blinded_message`."""
    name = hashlib.blake2b(sealed, digest_size=_NAME_BYTES).hexdigest()
    return name, f"out:{name}"
