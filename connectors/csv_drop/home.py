"""One audience's folder: what it is, and the numbered steps that somebody is to take at the platform.

``audience.json`` says whose it is. Step 4 is ``000004-remove.csv`` with ``000004-remove.json``, its
manifest; a file without a manifest is not finished. Whoever has uploaded a file deletes it or moves it
to ``uploaded``. A manifest holds counts, names and a checksum, and no identifier.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from cohortd.core.errors import FatalError
from cohortd.core.times import format_time, parse_time
from connectors.csv_drop.disk import PART, Disk
from connectors.csv_drop.templates import Template, keys_of, without

ABOUT: Final = "audience.json"
UPLOADED: Final = "uploaded"
_NAME: Final = re.compile(r"(?P<number>\d{6,})-(?P<kind>[a-z]+)(?P<expired>\.expired)?\.(?P<form>csv|json)")


class Kind(StrEnum):
    """What a step asks for."""

    ADD = "add"
    REMOVE = "remove"
    RETIRE = "retire"
    REOPEN = "reopen"
    RENAME = "rename"


_DO: Final[Mapping[Kind, str]] = {
    Kind.ADD: "Add the customers in this file to the audience; the file is hashed already.",
    Kind.REMOVE: "Remove the customers in this file from the audience; the file is hashed already.",
    Kind.RETIRE: "The audience is no longer in use: take it out of campaigns and close or delete it.",
    Kind.REOPEN: "The audience is in use again: open it, or make it anew, before the next file.",
    Kind.RENAME: "The audience has another name from now on, that of `becomes`: rename it.",
}
_NOTHING: Final = "Nothing: everybody who was in the file has left before it was uploaded."


@dataclass(slots=True)
class Step:
    """One number, and which of its files are there."""

    number: int
    kind: Kind
    has_manifest: bool = False
    #: The file is there: nobody has taken it yet.
    waits: bool = False
    #: The file was deleted before anybody had taken it.
    expired: bool = False

    @property
    def stem(self) -> str:
        """How its files are called, but for their endings."""
        return f"{self.number:06d}-{self.kind}"


class Home:
    """The folder; callers hold its lock while they change it."""

    def __init__(self, disk: Disk, path: Path, template: Template) -> None:
        self.disk = disk
        self.path = path
        self.template = template

    def about(self) -> dict[str, object] | None:
        """What the audience is; None where there is none.

        Raises:
            FatalError: Somebody changed it so that it cannot be read.
        """
        content = self.disk.read(self.path / ABOUT)
        if content is None:
            return None
        if found := _parsed(content):
            return found
        raise FatalError(
            f"{ABOUT} of {self.path.name} cannot be read", cure="Put it back as it was.", scope="audience"
        )

    def written_at(self, stem: str) -> datetime | None:
        """When a step was written; None where its manifest is gone."""
        at = _parsed(self.disk.read(self.path / f"{stem}.json") or b"").get("written_at")
        return parse_time(at) if isinstance(at, str) else None

    def describe(self, about: Mapping[str, object]) -> None:
        """Write down what the audience is."""
        self.disk.publish(self.path / ABOUT, _json(about))

    def steps(self) -> list[Step]:
        """Every step, in order."""
        found: dict[int, Step] = {}
        for name in self.disk.names(self.path):
            match = _NAME.fullmatch(name)
            if match is None or match["kind"] not in list(Kind):
                continue
            number = int(match["number"])
            step = found.setdefault(number, Step(number, Kind(match["kind"])))
            step.has_manifest |= match["form"] == "json"
            step.waits |= match["form"] == "csv"
            step.expired |= bool(match["expired"])
        return [found[number] for number in sorted(found)]

    def append(
        self,
        kind: Kind,
        rows: Sequence[Sequence[str]],
        *,
        members: int,
        about: Mapping[str, object],
        now: datetime,
        becomes: str = "",
    ) -> Step:
        """Add a step behind all others; a step without rows has no file.

        Args:
            becomes: The name from now on, of a renaming.
        """
        steps = self.steps()
        step = Step(steps[-1].number + 1 if steps else 1, kind)
        manifest: dict[str, object] = {
            "number": step.number,
            "audience": about.get("name", ""),
            "action": str(kind),
            "do": f"{_DO[kind]} At {self.template.platform}, after every step with a smaller number.",
            "file": f"{step.stem}.csv" if rows else None,
            "rows": len(rows),
            "members": members,
            "sha256": None,
            "written_at": format_time(now),
            "marker": about.get("marker", ""),
        }
        if becomes:
            manifest["becomes"] = becomes
        if rows:
            content = self._file(rows)
            manifest["sha256"] = hashlib.sha256(content).hexdigest()
            self.disk.publish(self.path / f"{step.stem}.csv", content)
        self.disk.publish(self.path / f"{step.stem}.json", _json(manifest))
        return step

    def withdraw(self, rows: Iterable[Sequence[str]]) -> None:
        """Take whoever leaves out of the additions that still wait, so that nobody uploads them."""
        gone = {key for row in rows for key in keys_of(self.template, row)}
        for step in self.steps():
            if step.kind is Kind.ADD and step.waits:
                self._rewrite(step, gone)

    def sweep(self) -> None:
        """Delete what a write that broke off has left."""
        for name in self.disk.names(self.path):
            if name.endswith(PART):
                self.disk.delete(self.path / name)
        for step in self.steps():
            # A removal without its manifest may as well be one that somebody tore apart: it stays.
            if step.kind is Kind.ADD and step.waits and (not step.has_manifest or step.expired):
                self.disk.delete(self.path / f"{step.stem}.csv")

    def _rewrite(self, step: Step, gone: set[tuple[str, ...]]) -> None:
        path, manifest_path = self.path / f"{step.stem}.csv", self.path / f"{step.stem}.json"
        content, manifest = self.disk.read(path), _parsed(self.disk.read(manifest_path) or b"")
        if content is None:  # taken this moment
            return
        rows = list(csv.reader(io.StringIO(content.decode(errors="replace"))))[1:]
        if any(len(row) != len(self.template.header) for row in rows):
            return  # no longer ours: a spreadsheet wrote it; the removal behind it takes them back
        left = without(self.template, rows, gone)
        whole = self._file(left)
        checksum = hashlib.sha256(whole).hexdigest()
        if left != rows:
            self.disk.publish(path, whole)
        # Also where a crash has kept an earlier rewriting from being written down.
        if manifest.get("sha256") != checksum:
            manifest |= {"rows": len(left), "sha256": checksum}
            if not left:
                manifest |= {"file": None, "sha256": None, "do": _NOTHING}
            self.disk.publish(manifest_path, _json(manifest))
        if not left:
            self.disk.delete(path)

    def _file(self, rows: Iterable[Sequence[str]]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.template.header)
        writer.writerows(rows)
        return text.getvalue().encode()


def _parsed(content: bytes) -> dict[str, object]:
    """What a file of ours says; nothing where it is none any more."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _json(values: Mapping[str, object]) -> bytes:
    return (json.dumps(dict(values), indent=2, ensure_ascii=False) + "\n").encode()
