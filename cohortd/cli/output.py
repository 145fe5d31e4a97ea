"""Answers on standard output, progress on standard error."""

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cohortd.core.printable import escaped, printable

#: Columns of a table that goes to a file or another program, where nobody set a width.
PIPED_WIDTH = 200


class Plain(Console):
    """Names and ids are people's own words: no markup, no emoji, no order to a terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, with what a terminal would obey spelled out; cells of tables are so already."""
        super().print(*[printable(each) if isinstance(each, str) else each for each in objects], **options)


def answer(
    data: Mapping[str, object] | Sequence[object], *, as_json: bool, show: Callable[[Console], None]
) -> None:
    """Print *data* as JSON, or let *show* print it for people; at once, since a command may go on."""
    if as_json:
        sys.stdout.write(escaped(json.dumps(data, default=str, ensure_ascii=False)) + "\n")
    elif sys.stdout.isatty():
        show(Plain())
    else:
        _print_piped(show)
    sys.stdout.flush()


def _print_piped(show: Callable[[Console], None]) -> None:
    # A terminal hides what cells are padded with; a file or a pager does not.
    piped = Plain(width=PIPED_WIDTH, file=io.StringIO())
    with piped.capture() as captured:
        show(piped)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def table(title: str, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> Table:
    """Lay out rows; numbers are right-aligned and have thousands separators."""
    laid_out = Table(
        title=Text(printable(title)) if title else None, title_justify="left", box=None, pad_edge=False
    )
    for column in columns:
        laid_out.add_column(column, overflow="fold")
    for row in rows:
        laid_out.add_row(*[Text(_cell(value)) for value in row])
    return laid_out


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else printable(str(value))


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show steps: a spinner on a terminal, log lines otherwise."""
    if quiet or not sys.stderr.isatty():
        import structlog  # what only helps, or asks for health, does without

        log = structlog.get_logger()
        yield lambda step: log.info("step_begun", step=step)
        return
    with Console(stderr=True).status("starting") as status:
        yield lambda step: status.update(Text(printable(step)))
