"""The settings file, read without YAML's surprises."""

import os
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Final

import yaml

from cohortd.core.errors import SettingsError

_SURPRISES: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "timestamp"))


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain words: ``NO`` is Norway, ``0123`` is text, and no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 - inherited
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise _TwiceError(key, node.value[index][0].start_mark.line + 1)
        return super().construct_mapping(node, deep=deep)


class _TwiceError(Exception):
    """A key stands twice in one table."""

    def __init__(self, key: str, line: int) -> None:
        super().__init__(f"line {line}: {key} stands twice")


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _SURPRISES]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:0|[1-9][0-9]*)?\.[0-9]+(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def unreadable(path: Path, error: OSError) -> SettingsError:
    """Say why a file cannot be read, and as whom: a container's user is another than the file's."""
    return SettingsError(f"{path}: cannot be read by user {os.geteuid()}: {error.strerror}")


def read_yaml(path: Path) -> dict[str, object]:
    """Read the file as one table.

    Raises:
        SettingsError: It cannot be read or is no table; never with the file's text, which may
            hold a secret.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is no UTF-8 text; save it as UTF-8") from None
    try:
        found: object = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except _TwiceError as error:
        raise SettingsError(f"{path}: {error}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: {_place(error)}is not valid YAML") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: must hold a table of settings, 'key: value' on each line")
    return {str(key): value for key, value in found.items()}


def _place(error: yaml.YAMLError) -> str:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return f"line {mark.line + 1}: " if mark else ""
