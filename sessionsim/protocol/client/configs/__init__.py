"""What the devices of an account keep in common (messages 5): changed, pushed, polled and merged."""
