"""The command line: one file a group of commands; the answer on standard output, all else on standard error."""

from cohortd.cli.entry import main

__all__ = ["main"]
