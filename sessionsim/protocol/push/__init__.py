"""Push notifications: subscribing, the push server, and what a device gets; one module a concept."""
