"""The engine that the settings name, in this process or in one of its own."""

from pathlib import Path

from cohortd.core.errors import SettingsError
from cohortd.engine.apart import EngineApart
from cohortd.engine.engine import Engine
from cohortd.engine.vocabulary import STANDARD, Vocabulary


def connect(
    kind: str,
    workdir: Path,
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
    vocabulary: Vocabulary = STANDARD,
    is_apart: bool = False,
) -> Engine:
    """Open the engine that the settings name.

    Args:
        is_apart: In a process of its own, which ends with the engine.

    Raises:
        SettingsError: This build has no such engine.
    """
    if kind != "duckdb":
        raise SettingsError(f"engine.kind {kind!r} is not in this build; use duckdb")
    opening = EngineApart if is_apart else Engine
    return opening.duckdb(workdir, memory_limit, threads, vocabulary=vocabulary)
