"""Codecs: bytes to values and back, without own keys or state; each module names its spec section."""
