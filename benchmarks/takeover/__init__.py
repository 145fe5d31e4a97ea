"""How soon a daemon that stands by leads when the one that led is gone."""
