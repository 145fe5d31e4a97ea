"""cohortd keeps ad audiences true."""

__version__ = "0.1.0"
