import subprocess
import sys

import pytest

_PARTS = ("sqlglot", "jinja2", "pandas._libs", "ibis.expr", "_duckdb", "sklearn")
_LOADED = f"import sys; print([name for name in {_PARTS} if name in sys.modules])"


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_commands_that_only_look_load_no_library_of_data() -> None:
    opened = "from cohortd.cli.deferred import HEAVY, defer; defer(*HEAVY); import cohortd.bootstrap;"

    loaded = _python(opened + _LOADED)

    assert loaded == "[]"


@pytest.mark.parametrize("look", ["pandas.DataFrame", "pandas.api.types.is_list_like", "pandas._libs.lib"])
def test_a_deferred_library_loads_itself_at_the_first_look(look: str) -> None:
    deferred = "from cohortd.cli.deferred import defer; defer('pandas'); import pandas; first = pandas;"
    again = "import pandas; print(first.DataFrame is pandas.DataFrame, first is pandas)"

    told = _python(f"{deferred} print({look} is not None); {again}")

    assert told.split() == ["True", "True", "False"]


def test_a_library_that_is_loaded_stays_itself() -> None:
    deferred = "import json, sys; from cohortd.cli.deferred import defer; defer('json');"

    told = _python(f"{deferred} print(sys.modules['json'] is json)")

    assert told == "True"
