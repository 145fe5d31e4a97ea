"""How fast things are; nothing here is a test, and nothing is installed."""
