"""Names of a room that are loaded when they are first asked for.

Most commands look at the ledger alone: a revocation, or ``status``, must not wait for libraries of data.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def on_demand(room: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """Give a room's ``__getattr__``.

    Args:
        room: The package that offers the names.
        homes: Name -> the module in the room that has it. No name may be a module's own: whoever loads
            that module would put it in the name's place.
    """

    def find(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        found: object = getattr(import_module(f"{room}.{homes[name]}"), name)
        setattr(sys.modules[room], name, found)
        return found

    return find
