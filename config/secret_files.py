"""Secrets that stand in files of their own: ``..._file`` keys and ``secrets_dir``."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, SecretStr

from config.alerts import Alerts
from config.base import place
from config.destinations import PLATFORMS
from config.faults import Faults
from config.receiver import ReceiverAuth
from config.settings import Settings
from config.sources import Source

#: Stands for a secret whose file is at fault, so that the fault is told once; loading fails anyway.
_UNREAD = SecretStr("sqlite:///unread")


def fill_secrets(raw: Mapping[str, object], *, folder: Path, faults: Faults) -> dict[str, object]:
    """Copy of the raw settings with every secret that stands in a file read.

    A value and its ``..._file`` together are a fault; a file in ``secrets_dir`` is taken only where
    neither is given.
    """
    directory = _directory(raw, folder, faults)
    reader = _Reader(folder, directory, faults)
    filled = reader.fill(raw, Settings, at="", stem="")
    sources, destinations = raw.get("sources"), raw.get("destinations")
    if isinstance(sources, dict):
        filled["sources"] = {name: _source(name, table, reader) for name, table in sources.items()}
    if isinstance(destinations, list):
        filled["destinations"] = [
            _destination(one, index, reader) for index, one in enumerate(destinations)
        ]
    alerts = raw.get("alerts")
    if isinstance(alerts, dict):
        filled["alerts"] = reader.fill(alerts, Alerts, at="alerts.", stem="alerts_")
    receiver = raw.get("receiver")
    if isinstance(receiver, dict) and isinstance(receiver.get("sources"), list):
        senders = [_sender(one, index, reader) for index, one in enumerate(receiver["sources"])]
        filled["receiver"] = {**receiver, "sources": senders}
    return filled


class _Reader:
    """Reads the secrets of one table after the other."""

    def __init__(self, folder: Path, directory: Path | None, faults: Faults) -> None:
        self._folder = folder
        self._directory = directory
        self._faults = faults

    def fill(
        self, table: Mapping[str, object], model: type[BaseModel], *, at: str, stem: str
    ) -> dict[str, object]:
        filled = dict(table)
        for key in secrets_of(model):
            named = table.get(f"{key}_file")
            if named is not None and table.get(key) is not None:
                self._faults.add(f"{at}{key}_file", f"give {key} or {key}_file, not both")
            elif named is not None:
                filled[key] = self._read(place(Path(str(named)), self._folder), f"{at}{key}_file")
            elif table.get(key) is None and self._directory and _is_there(self._directory / f"{stem}{key}"):
                filled[key] = self._read(self._directory / f"{stem}{key}", f"{at}{key}")
        return filled

    def _read(self, path: Path, at: str) -> SecretStr:
        try:
            secret = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            self._faults.add(at, f"{path} cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self._faults.add(at, f"{path} is no text")
        else:
            if secret:
                return SecretStr(secret)
            self._faults.add(at, f"{path} is empty")
        return _UNREAD


def _is_there(path: Path) -> bool:
    """Tell whether a file is there; one in a folder that is shut to us is read, which says so."""
    try:
        return path.is_file()
    except OSError:
        return True


def secrets_of(model: type[BaseModel]) -> list[str]:
    """Keys of *model* that may stand in a file of their own."""
    return [name for name in model.model_fields if f"{name}_file" in model.model_fields]


def _directory(raw: Mapping[str, object], folder: Path, faults: Faults) -> Path | None:
    named = raw.get("secrets_dir")
    if not isinstance(named, str):
        return None
    directory = place(Path(named), folder)
    try:
        if not directory.is_dir():
            faults.add("secrets_dir", f"{directory} is no folder")
    except OSError as error:
        faults.add("secrets_dir", f"{directory} cannot be read: {error.strerror}")
        return None
    return directory


def _source(name: str, table: object, reader: _Reader) -> object:
    if not isinstance(table, dict):
        return table
    return reader.fill(table, Source, at=f"sources.{name}.", stem=f"{name}_")


def _destination(destination: object, index: int, reader: _Reader) -> object:
    model = PLATFORMS.get(str(destination.get("platform"))) if isinstance(destination, dict) else None
    if not isinstance(destination, dict) or model is None:
        return destination
    return reader.fill(destination, model, at=f"destinations[{index}].", stem=f"{destination.get('name')}_")


def _sender(sender: object, index: int, reader: _Reader) -> object:
    auth = sender.get("auth") if isinstance(sender, dict) else None
    if not isinstance(sender, dict) or not isinstance(auth, dict):
        return sender
    at, stem = f"receiver.sources[{index}].auth.", f"{sender.get('name')}_"
    return {**sender, "auth": reader.fill(auth, ReceiverAuth, at=at, stem=stem)}
