"""Every official example we know of, and what the rules here make of it: a table for the documents.

Run as ``python -m cohortd.identity.conformance`` it writes the table into docs/normalization.md.
"""

import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from cohortd.core.identifiers import Family
from cohortd.identity.normalizing import Normalized, normalize

BEGIN: Final = "<!-- written by python -m cohortd.identity.conformance -->"
END: Final = "<!-- end -->"
_SHOWN_DIGITS: Final = 8
_HEADINGS: Final = ("platform", "field", "value", "the platform's own", "here", "source", "contradicted by")


@dataclass(frozen=True, slots=True)
class Vector:
    """One official example."""

    family: Family
    field: str
    region: str
    value: str
    #: The normalized form; empty where the platform refuses the value.
    documented: str
    #: Empty where the form is sent as it is.
    sha256: str
    source: str
    #: What the source itself gives: the ``hash``, only the ``form``, or ``refused``.
    official: str
    #: Who says otherwise, or why we do.
    contradicted_by: str

    def here(self) -> Normalized:
        """Run the rules on it."""
        return normalize(self.family, self.field, self.value, region=self.region or None)

    def is_met(self) -> bool:
        """Whether the rules give what the platform gives."""
        found = self.here()
        if not self.documented:
            return found.sent is None
        return (found.normalized, found.sha256 or "") == (self.documented, self.sha256)


@cache
def vectors() -> tuple[Vector, ...]:
    """Read the examples, in the order of platform and field."""
    text = (files(__package__) / "tables" / "official_vectors.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(Vector(Family(row.pop("platform")), **row) for row in rows)


def table() -> str:
    """Lay the examples out as Markdown, with a sentence that sums them up."""
    met = sum(vector.is_met() for vector in vectors())
    odd = [vector for vector in vectors() if not vector.is_met()]
    names = ", ".join(f"`{vector.value}`" for vector in odd)
    lines = [
        f"{len(vectors())} examples; {met} are met, {len(odd)} on purpose not: {names}.",
        "",
        "| " + " | ".join(_HEADINGS) + " |",
        "|" + "---|" * len(_HEADINGS),
        *_rows(),
    ]
    return "\n".join(lines)


def written_into(page: str) -> str:
    """Put the table into a page, between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _rows() -> Iterator[str]:
    for vector in vectors():
        found = vector.here()
        cells = (
            vector.family.value,
            f"{vector.field} ({vector.region})" if vector.region else vector.field,
            _code(vector.value),
            _told(vector.documented, vector.sha256, "refused"),
            "the same" if vector.is_met() else _told(found.normalized, found.sha256, found.reason),
            vector.source + (", form only" if vector.official == "form" and vector.sha256 else ""),
            vector.contradicted_by,
        )
        yield "| " + " | ".join(cells) + " |"


def _told(normalized: str | None, sha256: str | None, reason: str | None) -> str:
    if not normalized:
        return f"absent ({reason})" if reason != "refused" else "refused"
    return _code(normalized) + (f" {sha256[:_SHOWN_DIGITS]}…" if sha256 else "")


def _code(text: str) -> str:
    """Show *text* to its last space; what is not ASCII white space or a letter as its escape."""
    visible = "".join(c if c.isprintable() and c != "\u2011" else json.dumps(c)[1:-1] for c in text)
    return f"`{visible}`" if text.strip() == text and text else f'`"{visible}"`'


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/normalization.md")
    path.write_text(written_into(path.read_text(encoding="utf-8")), encoding="utf-8")
