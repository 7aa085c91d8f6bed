"""Base64 as servers take it in JSON: with or without padding, nothing else in it."""

from __future__ import annotations

import binascii


def decode_base64(text: object) -> bytes | None:
    """Decode; None for anything that is no base64 text. Source: session-pysogs: sogs/utils.py."""
    if type(text) is not str:
        return None
    padding = "" if text.endswith("=") else "=" * (-len(text) % 4)
    try:
        return binascii.a2b_base64(text + padding, strict_mode=True)
    except ValueError:
        return None
