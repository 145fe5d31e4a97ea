"""Print the decision table of docs/consent.md: ``python -m consent``."""

import sys

from consent.rules import TABLE


def table() -> str:
    """Write the rules as a Markdown table, a line a rule."""
    lines = ["| rule | applies when | outcome |", "|---|---|---|"]
    lines += [
        f"| `{line.id}` | {line.when} | {f'`{line.reason}`' if line.reason else 'sent'} |" for line in TABLE
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
