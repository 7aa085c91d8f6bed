"""Who wants to tell whom what, and when. Knows people, not the network: no link, no key."""
