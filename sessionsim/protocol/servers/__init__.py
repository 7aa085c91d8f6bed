"""Machines of the servers that clients use beside the nodes: what hosts them speaks `protocol.machine`.

What a server does with a request is in `files`, `push` and `communities`, free of transport. Here stands what
listens on a link: onion endpoints behind a last hop, and what clients reach directly.
"""
