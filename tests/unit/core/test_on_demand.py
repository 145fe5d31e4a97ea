"""Names of rooms that are loaded when they are first asked for."""

import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import clustering
import cohortd.engine
import cohortd.ledger
import cohortd.logs
import cohortd.sources
import consent


@pytest.mark.parametrize(
    "room",
    [clustering, consent, cohortd.engine, cohortd.ledger, cohortd.logs, cohortd.sources],
    ids=lambda room: room.__name__,
)
def test_every_name_is_there_and_none_is_a_modules_own(room: ModuleType):
    homes: dict[str, str] = inspect.getclosurevars(room.__getattr__).nonlocals["homes"]
    modules = {file.stem for file in Path(str(room.__file__)).parent.glob("*.py")}

    assert homes.keys() <= set(room.__all__)
    assert not homes.keys() & modules
    for name, home in homes.items():
        assert getattr(room, name) is getattr(import_module(f"{room.__name__}.{home}"), name)


def test_a_name_that_no_room_has_is_refused():
    with pytest.raises(AttributeError, match="module 'consent' has no attribute 'nothing'"):
        consent.nothing  # noqa: B018 - asked for
