"""Local stand-ins for the platforms, speaking their wire protocols to the vendors' own clients."""
