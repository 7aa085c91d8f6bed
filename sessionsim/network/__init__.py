"""Where bytes are and when they arrive: node lists, places, links, wire sizes, clients, and the host."""
