"""What an emulated platform remembers: audiences and their members, in memory or also in a folder.

With a folder every change is one appended line in the
audience's own file, written before it counts: a killed process leaves at most a torn last line,
which is ignored and cut off at the next start.
"""

import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cohortd.emulators.people import People, Row

__all__ = ["Audience", "People", "Row", "Store"]

_COUNTER = "next-id"


@dataclass(slots=True)
class Audience:
    """One remote audience; ``attributes`` holds what only its own platform knows of (JSON-ready)."""

    id: str
    account: str
    name: str
    attributes: dict[str, object] = field(default_factory=dict)
    people: People = field(default_factory=People)


class Store:
    """All audiences of one emulated platform; every method may be called from any thread.

    Hold ``lock`` to make several calls one step.
    """

    def __init__(self, folder: Path | None = None, *, first_id: int = 1) -> None:
        """Open the store.

        Args:
            folder: Where to keep it, one folder a platform; None for memory alone.
            first_id: The first audience's id; ids are never used again.
        """
        self.lock = threading.RLock()
        self._folder = folder
        self._next_id = first_id
        self._audiences: dict[str, Audience] = {}
        self._documents: dict[str, object] = {}
        if folder is not None:
            self._open(folder)

    def create(
        self, account: str, *, name: str, attributes: Mapping[str, object] | None = None
    ) -> Audience:
        """Make an empty audience under a new id."""
        with self.lock:
            audience = Audience(str(self._next_id), account, name, dict(attributes or {}))
            self._next_id += 1
            self.keep(_COUNTER, self._next_id)
            self._append(audience.id, _created(audience))
            self._audiences[audience.id] = audience
            return audience

    def get(self, audience_id: str) -> Audience | None:
        """Find an audience."""
        with self.lock:
            return self._audiences.get(audience_id)

    def audiences(self, account: str | None = None) -> list[Audience]:
        """All audiences (of one account), oldest first."""
        with self.lock:
            found = [a for a in self._audiences.values() if account in (None, a.account)]
            return sorted(found, key=lambda audience: int(audience.id))

    def update(
        self, audience_id: str, *, name: str | None = None, attributes: Mapping[str, object] | None = None
    ) -> None:
        """Rename an audience and set some of its attributes.

        Raises:
            KeyError: There is no such audience.
        """
        with self.lock:
            audience = self._audiences[audience_id]
            name = audience.name if name is None else name
            change = {"op": "update", "name": name, "attributes": dict(attributes or {})}
            self._append(audience_id, change)
            _replay(audience, change)

    def delete(self, audience_id: str) -> bool:
        """Forget an audience; whether there was one."""
        with self.lock:
            if self._audiences.pop(audience_id, None) is None:
                return False
            if self._folder is not None:
                self._file(audience_id).unlink(missing_ok=True)
            return True

    def add(self, audience_id: str, rows: Iterable[Row], *, at: str = "") -> None:
        """Take rows in, all or none.

        Args:
            at: When that is, for platforms that forget members after a while.

        Raises:
            KeyError: There is no such audience.
        """
        self._members(audience_id, {"op": "add", "rows": [sorted(row) for row in rows], "at": at})

    def expire(self, audience_id: str, *, before: str) -> None:
        """Forget every identifier that was last added before a time.

        Raises:
            KeyError: There is no such audience.
        """
        with self.lock:
            gone = self._audiences[audience_id].people.older(before)
            if gone:
                self.remove(audience_id, [gone])

    def remove(self, audience_id: str, rows: Iterable[Row], *, whole_people: bool = False) -> None:
        """Take the identifiers of rows away, all or none; see ``People.remove``.

        Raises:
            KeyError: There is no such audience.
        """
        change = {"op": "remove", "rows": [sorted(row) for row in rows], "whole_people": whole_people}
        self._members(audience_id, change)

    def members(self, audience_id: str) -> frozenset[str]:
        """Every identifier in an audience; empty where there is no such audience."""
        with self.lock:
            audience = self._audiences.get(audience_id)
            return audience.people.identifiers() if audience else frozenset()

    def size(self, audience_id: str) -> int:
        """How many people are in an audience; 0 where there is no such audience."""
        with self.lock:
            audience = self._audiences.get(audience_id)
            return len(audience.people) if audience else 0

    def keep(self, name: str, document: object) -> None:
        """Keep anything else a platform remembers (JSON-ready) under a file-safe name."""
        with self.lock:
            if self._folder is not None:
                _write_whole(self._folder / f"{name}.json", json.dumps(document))
            self._documents[name] = document

    def kept(self, name: str) -> object | None:
        """Give back what ``keep`` kept, None where nothing was."""
        with self.lock:
            return self._documents.get(name)

    def _members(self, audience_id: str, change: Mapping[str, object]) -> None:
        with self.lock:
            audience = self._audiences[audience_id]
            self._append(audience_id, change)
            _replay(audience, change)

    def _file(self, audience_id: str) -> Path:
        assert self._folder is not None
        return self._folder / f"audience-{audience_id}.jsonl"

    def _append(self, audience_id: str, change: Mapping[str, object]) -> None:
        if self._folder is None:
            return
        with self._file(audience_id).open("a", encoding="utf-8") as file:
            file.write(json.dumps(change) + "\n")

    def _open(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.glob("*.json")):
            self._documents[file.stem] = json.loads(file.read_text(encoding="utf-8"))
        counter = self._documents.get(_COUNTER)
        if isinstance(counter, int):
            self._next_id = counter
        for file in sorted(folder.glob("audience-*.jsonl")):
            audience = _load(file)
            if audience is None:
                file.unlink()
                continue
            self._audiences[audience.id] = audience
            _write_whole(file, _compact(audience))


def _created(audience: Audience) -> dict[str, object]:
    return {
        "op": "create",
        "id": audience.id,
        "account": audience.account,
        "name": audience.name,
        "attributes": audience.attributes,
    }


def _replay(audience: Audience, change: Mapping[str, object]) -> None:
    match change:
        case {"op": "update", "name": str(name), "attributes": dict(attributes)}:
            audience.name = name
            audience.attributes.update(attributes)
        case {"op": "add", "rows": list(rows)}:
            at = str(change.get("at", ""))
            for row in rows:
                audience.people.add(frozenset(row), at=at)
        case {"op": "remove", "rows": list(rows), "whole_people": bool(whole_people)}:
            for row in rows:
                audience.people.remove(frozenset(row), whole_people=whole_people)
        case _:
            raise ValueError("an audience's file holds a change of no known kind")


def _load(file: Path) -> Audience | None:
    whole, _, _torn = file.read_text(encoding="utf-8").rpartition("\n")
    lines = [json.loads(line) for line in whole.splitlines()]
    if not lines:
        return None
    first = lines[0]
    audience = Audience(first["id"], first["account"], first["name"], first["attributes"])
    for change in lines[1:]:
        _replay(audience, change)
    return audience


def _compact(audience: Audience) -> str:
    people = audience.people
    rows = people.rows()
    whole: Mapping[str, object] = {"op": "add", "rows": [sorted(row) for row in rows]}
    times = sorted({people.last_added(each) for row in rows for each in row} - {""})
    dated = [{"op": "add", "rows": _of_time(people, rows, at), "at": at} for at in times]
    changes = [_created(audience), whole, *dated]
    return "".join(json.dumps(change) + "\n" for change in changes)


def _of_time(people: People, rows: Iterable[Row], at: str) -> list[list[str]]:
    found = ([each for each in sorted(row) if people.last_added(each) == at] for row in rows)
    return [row for row in found if row]


def _write_whole(file: Path, text: str) -> None:
    fresh = file.with_suffix(file.suffix + ".new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, file)  # noqa: PTH105 - Path.replace reads like str.replace; this one is atomic
