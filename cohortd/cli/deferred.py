"""Libraries that are loaded when they are first used: a revocation must not wait for them to start."""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final

#: What takes long to load and what most commands never use.
HEAVY: Final = ("duckdb", "ibis", "pandas")


def defer(*names: str) -> None:
    """Put modules in place that load themselves at the first look into them.

    What imports a part of one, such as ``ibis.expr``, loads it whole, and so does an annotation that
    is evaluated: whoever needs neither at once says ``from __future__ import annotations``.
    """
    for name in names:
        if name not in sys.modules:
            sys.modules[name] = _Deferred(name)


class _Deferred(ModuleType):
    """Stands for a module until something is looked up in it.

    Not importlib's LazyLoader: under Python 3.11 the import statement itself looks into its modules.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = find_spec(name)

    def __getattr__(self, attribute: str) -> object:
        name = self.__name__
        if sys.modules.get(name) is self:
            del sys.modules[name]
        # Where another thread is loading it, this waits until that is done.
        return getattr(import_module(name), attribute)
