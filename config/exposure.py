"""Who else on this machine can read the secrets that stand in a settings file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel

from config.alerts import Alerts
from config.destinations import PLATFORMS
from config.secret_files import secrets_of
from config.settings import Settings
from config.sources import Source
from config.yaml_file import read_yaml

_MODELS: Final[tuple[type[BaseModel], ...]] = (Settings, Alerts, Source, *PLATFORMS.values())
_SECRETS: Final = frozenset(key for model in _MODELS for key in secrets_of(model))
_OTHERS: Final = 0o077


def exposed(path: Path) -> str:
    """Say in a sentence that others can read secrets in *path*; empty where they cannot.

    Only the permissions are looked at: who may pass the folders above is another matter.
    """
    if not path.stat().st_mode & _OTHERS:
        return ""
    found = list(_secrets_in(read_yaml(path), ""))
    if not found:
        return ""
    return (
        f"others may read {path.name}, in which secrets stand ({', '.join(found)}): take that from them"
        f" (chmod 600 {path.name}), or put each secret into a file of its own"
    )


def _secrets_in(value: object, at: str) -> Iterator[str]:
    """Where secrets stand, never what they are."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in _SECRETS and isinstance(each, list):
                yield f"{at}{key}"
            elif key in _SECRETS and isinstance(each, str):
                if "://" not in each or _has_password(each):
                    yield f"{at}{key}"
            else:
                yield from _secrets_in(each, f"{at}{key}.")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _secrets_in(each, f"{at.removesuffix('.')}[{index}].")


def _has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None
    except ValueError:
        return True
