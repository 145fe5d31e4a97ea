"""The kernel's source and, where it was built, its library; ``cohortd/identity/kernel.py`` loads it."""
