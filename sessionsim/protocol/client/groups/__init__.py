"""What a client does in groups (messages 4, client-behaviour 6.2).

standing   one group as one device knows it     polling   reading a group's swarm
talk       messages to a group and from it      pushes    keys and configs to the swarm
"""
