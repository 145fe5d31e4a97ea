"""How long commands take to start, against Python itself, and what the daemon weighs."""
