"""What a client or a service node does with an input: bytes, keys and state machines.

No clock, no chance, no input or output of its own.
"""
