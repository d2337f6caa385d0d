"""The HTTP API: registry of actions, the wire, and the actions themselves."""
