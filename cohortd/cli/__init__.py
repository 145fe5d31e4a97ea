"""The command line: one file a group of commands.

The answer goes to standard output, progress, logs and errors to standard error.
"""

from cohortd.cli.entry import main

__all__ = ["main"]
