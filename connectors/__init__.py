"""The platforms: one folder each, all behind one protocol."""
