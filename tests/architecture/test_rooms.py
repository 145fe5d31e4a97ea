"""The map of the rooms says what the import contracts enforce, and the contracts hold."""

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
GENERIC = ("connectors", "clustering", "consent", "config")
#: Files of ``cohortd`` that are no rooms: the package itself, and the door to ``cohortd.cli``.
NO_ROOMS = ("__init__", "__main__")


def _layers() -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layered = next(c for c in contracts["contracts"] if c["type"] == "layers")
    return [{module.strip() for module in layer.split("|")} for layer in layered["layers"]]


def _table() -> dict[str, str]:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \| ([^|]+) \|", text.split("## Where does")[0], re.MULTILINE)
    return {
        room.removesuffix(".py").replace("/", "."): may
        for rooms, may in rows
        for room in re.findall(r"`([^`]+)`", rooms)
    }


def test_every_room_on_disk_is_in_the_map_and_in_the_contracts() -> None:
    packages = {f"cohortd.{p.parent.name}" for p in (ROOT / "cohortd").glob("*/__init__.py")}
    modules = {f"cohortd.{p.stem}" for p in (ROOT / "cohortd").glob("*.py") if p.stem not in NO_ROOMS}
    on_disk = packages | modules | set(GENERIC)

    assert set(_table()) == on_disk
    assert set().union(*_layers()) == on_disk


def test_rooms_of_one_layer_may_import_the_core_alone() -> None:
    rooms = max(_layers(), key=len)

    assert {_table()[room] for room in rooms} == {"`cohortd/core`"}


def test_the_import_contracts_hold() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) == 0


def test_no_other_installed_distribution_owns_one_of_our_generic_names() -> None:
    owners = packages_distributions()

    assert {owner for name in GENERIC for owner in owners.get(name, [])} <= {"cohortd"}
