"""The demo: a year of real shopping, generated contacts, local stand-ins of the platforms."""
