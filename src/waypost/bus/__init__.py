"""How the processes of one Waypost tell each other things: in-process, or over NATS."""
