"""``tracker/*``: trackers, their states, registering them, and commands to them."""
