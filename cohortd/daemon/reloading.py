"""Settings that change while the daemon runs: re-read when asked to, secrets by themselves."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import structlog

import config
from cohortd.core.errors import SettingsError
from config.settings import Settings

#: How often the files of secrets are looked at; seconds.
SECRETS_S: Final = 60.0
log = structlog.get_logger()


@dataclass(slots=True)
class Reloading:
    """The settings in use, those that wait to be, and what is wrong with newer ones."""

    file: Path
    #: In use.
    settings: Settings
    #: Read, and to be used when what runs under the others has ended.
    waiting: Settings | None = None
    #: What the settings file said when those in use were read: a secret that changes must not bring in
    #: other changes, which nobody asked for yet.
    _table: Mapping[str, object] = field(default_factory=dict)
    _waiting_table: Mapping[str, object] = field(default_factory=dict)
    _prints: Mapping[Path, str] = field(default_factory=dict)
    _before: Settings | None = None
    _table_before: Mapping[str, object] = field(default_factory=dict)
    #: What is wrong with the file, with a secret's file, and what only a restart changes.
    _faults: dict[str, str] = field(default_factory=dict)
    _looked_at: float = 0.0
    #: Whether any settings proved to be of use.
    is_proven: bool = False
    #: Newer ones that were of no use, unless the files were read since.
    _refused: Settings | None = None
    _table_refused: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def begin(cls, option: str | None, *, now: float) -> Self:
        """Find and read the settings file.

        Raises:
            SettingsError: There is none, or something in it is wrong.
        """
        file = config.find_file(option, os.environ)
        table = config.read_yaml(file)
        settings = config.load(file, table=table)
        return cls(file, settings, _table=table, _prints=_prints(settings), _looked_at=now)

    @property
    def fault(self) -> str:
        """What keeps newer settings from being used; empty where nothing does."""
        return "; ".join(self._faults.values())

    def look(self, *, is_asked: bool, now: float) -> bool:
        """Re-read everything if asked, else secrets whose files changed; tell whether new settings wait."""
        if is_asked:
            self._looked_at = now
            self._read("settings", None)
        elif now - self._looked_at >= SECRETS_S:
            self._looked_at = now
            if _prints(self.waiting or self.settings) != self._prints:
                self._read("secret", self._waiting_table if self.waiting else self._table)
        return self.waiting is not None

    def adopt(self) -> Settings:
        """Use the settings that wait; return them."""
        assert self.waiting is not None
        self._before, self._table_before = self.settings, self._table
        self.settings, self._table, self.waiting = self.waiting, self._waiting_table, None
        return self.settings

    def revert(self, reason: str) -> bool:
        """Go back to the settings before, new ones being of no use; tell whether there are any."""
        if self._before is None:
            return False
        self._refused, self._table_refused = self.settings, self._table
        self.settings, self._table, self._before = self._before, self._table_before, None
        self._faults["settings"] = reason
        log.error("settings_not_used", reason=reason)
        return True

    def settle(self) -> None:
        """Note that the settings in use proved to be of use."""
        self._before = None
        self.is_proven = True

    def retry(self) -> bool:
        """Have settings that were of no use tried once more; tell whether there are any."""
        if self._refused is None:
            return False
        self.waiting, self._waiting_table = self._refused, self._table_refused
        self._refused = None
        self._faults.pop("settings", None)
        return True

    def _read(self, what: str, table: Mapping[str, object] | None) -> None:
        """Read the settings, with what the file says or said."""
        self._refused = None
        prints = _prints(self.waiting or self.settings)
        changed = {path for path in {*prints, *self._prints} if prints.get(path) != self._prints.get(path)}
        self._prints = prints
        try:
            table = config.read_yaml(self.file) if table is None else table
            read = config.load(self.file, table=table)
        except SettingsError as error:
            self._faults[what] = str(error)
            log.error("settings_not_read", reason=str(error))  # noqa: TRY400 - its words are for people
            return
        self._faults.pop(what, None)
        if what == "settings":
            self._faults.pop("secret", None)
        new = self._without_restart(read)
        self._prints = _prints(new)
        of_files = {key for path, key in config.files_of_secrets(new).items() if path in changed}
        keys = sorted({*config.changed_keys(self.settings, new), *of_files})
        self.waiting, self._waiting_table = (new, table) if keys else (None, {})
        log.info("settings_read", changed=keys)

    def _without_restart(self, new: Settings) -> Settings:
        """Keep what a running daemon cannot change; a new password of the same database it can."""
        old = self.settings
        kept: dict[str, object] = {}
        if new.data_dir != old.data_dir:
            kept["data_dir"] = old.data_dir
        if new.database != old.database and _place(new.database_url) != _place(old.database_url):
            kept["database"] = old.database
        self._faults.pop("restart", None)
        if not kept:
            return new
        self._faults["restart"] = f"{', '.join(kept)} changed: that takes a restart"
        log.warning("settings_left_for_restart", keys=list(kept))
        return new.model_copy(update=kept)


def _prints(settings: Settings) -> Mapping[Path, str]:
    """Fingerprints of all files that hold secrets, in this process' memory alone."""
    return {path: _print(path) for path in config.files_of_secrets(settings)}


def _print(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return type(error).__name__


def _place(url: str) -> tuple[str, str | None, int | None, str, str]:
    """Say which database a URL names, whoever opens it."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port, parts.path, parts.query
