"""From SIGTERM to the end of the daemon, at any moment of what it does."""
