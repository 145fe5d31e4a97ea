"""Which keys two settings differ in, and which files hold secrets; never a value."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from config.settings import Settings


def changed_keys(before: Settings, after: Settings) -> list[str]:
    """List the keys whose values differ, as dotted paths; what has a name goes by it."""
    one, other = dict(_flat(before, "")), dict(_flat(after, ""))
    found = {key for key in {*one, *other} if one.get(key, "") != other.get(key, "")}
    # Of a table that came or went, it is enough to name the table.
    return sorted(key for key in found if not any(key.startswith(f"{above}.") for above in found))


def files_of_secrets(settings: Settings) -> Mapping[Path, str]:
    """Every file that holds a secret -> the key it is for: ``..._file`` keys and ``secrets_dir``."""
    found = {
        value: key
        for key, value in _flat(settings, "")
        if isinstance(value, Path) and key.rpartition(".")[2].endswith("_file")
    }
    directory = settings.secrets_dir
    if directory is not None and directory.is_dir():
        # Kubernetes lays the files into a hidden folder and links to them.
        for path in directory.iterdir():
            if path.is_file():
                found.setdefault(path, f"secrets_dir: {path.name}")
    return found


def _flat(value: object, key: str) -> Iterator[tuple[str, object]]:
    match value:
        case BaseModel():
            for name in type(value).model_fields:
                yield from _flat(getattr(value, name), f"{key}.{name}" if key else name)
        case tuple() if any(isinstance(item, BaseModel) for item in value):
            for index, item in enumerate(value):
                yield from _flat(item, f"{key}.{getattr(item, 'name', index)}")
        case dict() if value:
            for name, item in value.items():
                yield from _flat(item, f"{key}.{name}")
        case _:
            yield key, value
