"""From a settings file, the environment and secret files to ``Settings``."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from cohortd.core.errors import SettingsError
from config.environment import overlay, read_environment
from config.faults import Faults
from config.secret_files import fill_secrets
from config.settings import Settings
from config.yaml_file import read_yaml, unreadable

DEFAULT_FILE = "cohortd.yaml"
VARIABLE = "COHORTD_CONFIG"


def find_file(option: str | Path | None, env: Mapping[str, str]) -> Path:
    """Choose the settings file: the option, else ``COHORTD_CONFIG``, else ``cohortd.yaml`` here.

    Raises:
        SettingsError: There is no such file, or its folder is shut to us.
    """
    path = Path(option or env.get(VARIABLE) or DEFAULT_FILE)
    try:
        if path.is_file():
            return path
        if path.is_dir():
            raise SettingsError(
                f"{path}: is a folder; name the settings file in it, such as {path / DEFAULT_FILE}"
            )
    except OSError as error:
        raise unreadable(path, error) from None
    raise SettingsError(
        f"{path}: no such settings file. 'cohortd init DIR' writes one; "
        f"-c FILE or {VARIABLE} says where yours is"
    )


def load(
    path: Path, *, environ: Mapping[str, str] | None = None, table: Mapping[str, object] | None = None
) -> Settings:
    """Read the settings; environment variables win over the file.

    Args:
        path: The settings file; relative paths in it are taken from its folder.
        environ: The variables; None for this process' own.
        table: What the file said when it was read before; None to read it.

    Raises:
        SettingsError: Something is wrong; the message lists every fault, one a line, and never
            a secret's value.
    """
    faults = Faults()
    folder = path.resolve().parent
    variables = read_environment(os.environ if environ is None else environ, faults)
    raw = fill_secrets(
        overlay(read_yaml(path) if table is None else table, variables, faults),
        folder=folder,
        faults=faults,
    )
    try:
        settings = _validate(raw)
    except ValidationError as error:
        faults.add_invalid(error, Settings)
    if faults:
        raise SettingsError(str(faults))
    return settings.anchored(folder)


def _validate(raw: dict[str, object]) -> Settings:
    """Let pydantic-settings read the merged table and nothing else.

    Its own environment source passes silently over variables it does not know, and called with
    the table as keywords it would take a key such as ``_env_file`` as an option of its own.
    """

    class Merged(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del init_settings, env_settings, dotenv_settings, file_secret_settings
            return (InitSettingsSource(settings_cls, init_kwargs=raw),)

    Merged.__name__ = Merged.__qualname__ = Settings.__name__
    return Merged()
