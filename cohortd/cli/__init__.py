"""The command line: one file a group of commands.

The answer goes to standard output, progress, logs and errors to standard error.
"""

import sys

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """Run the command line; an interrupt while it still loads shows no traceback either."""
    try:
        from cohortd.cli.entry import main as enter

        enter()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
