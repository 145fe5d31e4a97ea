"""Somebody who uploads the files of a folder by hand, as strict as the platforms' pages are.

Takes every step in its order and keeps who is in the audience then. Google's form:
support.google.com/google-ads/answer/7659867; Meta's: facebook.com/business/help/2082575038703844.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cohortd.core.payloads import ADDRESS_KEYS, digest_of

_ADDRESS: Final = ("First Name", "Last Name", "Country", "Zip")
_HEADERS: Final = (
    ("Email", "Phone", *_ADDRESS),
    ("email", "phone", "madid", "fn", "ln", "zip", "ct", "st", "country", "doby", "gen"),
)
_HASH: Final = re.compile(r"[0-9a-f]{64}")
#: What the pages take unhashed, and in which form; no spreadsheet runs any of it.
_PLAIN: Final = {
    "Country": re.compile(r"[A-Z]{2}"),
    "Zip": re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]*"),
    "madid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


class ByHand:
    """One person, one folder; remembers what they have done."""

    def __init__(self, folder: Path, *, tidies: bool = True) -> None:
        """Take a destination's folder.

        Args:
            folder: The destination's folder.
            tidies: Whether they move what they uploaded to ``uploaded``, as they are asked to.
        """
        self._folder = folder
        self._tidies = tidies
        self._members: dict[str, set[str]] = {}
        self._done: set[tuple[str, str]] = set()

    def audiences(self) -> list[str]:
        """The folders of all audiences."""
        return sorted(path.parent.name for path in self._folder.glob("*/audience.json"))

    def members(self, audience: str) -> frozenset[str]:
        """Who is in an audience after every step was taken: ``kind:value``."""
        self.upload(audience)
        return frozenset(self._members.get(audience, ()))

    def upload(self, audience: str) -> list[str]:
        """Take the steps that were not taken yet; return their actions.

        Raises:
            AssertionError: A page would refuse a file, or it is not what its manifest says.
        """
        done = []
        for path in sorted((self._folder / audience).glob("??????-*.json")):
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if manifest["file"] is None or (audience, path.name) in self._done:
                continue
            file = path.parent / manifest["file"]
            if file.exists():
                self._take(audience, file, manifest)
                self._done.add((audience, path.name))
                done.append(str(manifest["action"]))
        return done

    def _take(self, audience: str, file: Path, manifest: Mapping[str, object]) -> None:
        content = file.read_bytes()
        assert hashlib.sha256(content).hexdigest() == manifest["sha256"], "not the file of the manifest"
        assert file.stat().st_mode & 0o077 == 0, "others may read it"
        header, *rows = csv.reader(content.decode("ascii").splitlines())
        assert tuple(header) in _HEADERS, "unknown columns"
        assert len(rows) == manifest["rows"], "rows are missing"
        found = {key for row in rows for key in _keys(dict(zip(header, row, strict=True)))}
        members = self._members.setdefault(audience, set())
        if manifest["action"] == "add":
            members |= found
        else:
            members -= found
        if self._tidies:
            file.rename(file.parent / "uploaded" / file.name)


def _keys(cells: Mapping[str, str]) -> Iterator[str]:
    """Read a row as the pages do."""
    assert any(cells.values()), "an empty row"
    for name, cell in cells.items():
        assert not cell or _PLAIN.get(name, _HASH).fullmatch(cell), f"not what {name} holds"
    for name in ("email", "phone"):
        if value := cells.get(name) or cells.get(name.capitalize()):
            yield f"{name}:{value}"
    if value := cells.get("madid"):
        yield f"mobile_ad_id:{value}"
    address = [cells.get(name, "") for name in _ADDRESS]
    assert all(address) or not any(address), "an address lacks a part"
    if all(address):
        yield f"address:{digest_of(dict(zip(ADDRESS_KEYS, address, strict=True))).hex()}"
