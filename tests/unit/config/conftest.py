import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cohortd.core.errors import SettingsError
from config import Settings, load

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "cohortd.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


class Loader:
    """Loads settings whose sources do not matter to the test."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def __call__(self, text: str = "", environ: Mapping[str, str] | None = None) -> Settings:
        whole = textwrap.dedent(text)
        if "sources:" not in whole:
            whole += "\nsources: {customers: {path: customers.csv}}\n"
        return load(self._write(whole), environ=environ or {})

    def faults(self, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            self(text, environ)
        return str(caught.value).splitlines()


@pytest.fixture
def loading(write: Write) -> Loader:
    return Loader(write)
