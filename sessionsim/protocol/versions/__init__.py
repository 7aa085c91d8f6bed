"""The message layer, one file per protocol version: from a text to the bytes a swarm stores, and back."""
