"""Layers that one end has made and the other end of the same process is about to make.

Keyed by both public keys, taken out on first use, bounded. A server that presents another key, or asks for
another cipher, does not find the entry and computes its own; so a wrong key fails as without memo.
"""

from __future__ import annotations

from typing import Final

from sessionsim.protocol.crypto.layer import Layer

MEMO_LIMIT: Final = 20_000  # Assumption: several seconds of requests in flight; about 6 MB


class LayerMemo:
    """The layers waiting for their other end."""

    __slots__ = ("_layers",)

    def __init__(self) -> None:
        self._layers: dict[tuple[bytes, bytes], Layer] = {}

    def put(self, ephemeral: bytes, server: bytes, layer: Layer) -> None:
        """Keep the client's layer."""
        layers = self._layers
        if len(layers) >= MEMO_LIMIT:
            layers.clear()
        layers[ephemeral, server] = layer

    def take(self, layer_type: type[Layer], ephemeral: bytes, server: bytes) -> Layer | None:
        """Take the layer of these two keys, if it is of that cipher."""
        layer = self._layers.pop((ephemeral, server), None)
        return layer if type(layer) is layer_type else None
