import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

#: What takes long to load. Only its parts tell of a deferred library that it was loaded.
_LIBRARIES = (
    *("numpy", "pyarrow", "pandas._libs", "ibis.expr", "_duckdb", "sqlglot", "sklearn", "scipy"),
    *("phonenumbers", "alembic", "jinja2", "matplotlib", "apprise", "httpx", "requests", "opentelemetry"),
    *("prometheus_client", "google", "grpc", "facebook_business"),
)
#: What ``--help`` does without, besides.
_FOR_WORK = (
    "pydantic_settings",
    "sqlalchemy",
    "cryptography",
    "tenacity",
    "config",
    "cohortd.ledger",
    "structlog",
)
_SETTINGS = """
sources: {customers: {path: customers.csv}}
destinations:
  - {name: google, platform: google_data_manager, account_id: "1234567890", endpoint: "grpc://127.0.0.1:1"}
  - {name: meta, platform: meta, ad_account_id: act_1, endpoint: "http://127.0.0.1:1"}
"""


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _loaded_by(*words: str, of: Sequence[str]) -> str:
    """Run a command, and say which of these modules it loaded."""
    run = f"import sys; sys.argv = {['cohortd', *words]!r}; from cohortd.cli import main"
    tell = f"print([name for name in {of!r} if name in sys.modules], file=sys.stderr)"
    code = f"{run}\ntry:\n    main()\nexcept SystemExit:\n    {tell}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stderr.strip().splitlines()[-1]


@pytest.fixture
def settings(tmp_path: Path) -> str:
    """Name settings whose ledger is there already: making one takes what changing it later does not."""
    file = tmp_path / "cohortd.yaml"
    file.write_text(_SETTINGS)
    _loaded_by("runs", "-c", str(file), of=())
    return str(file)


def test_status_loads_no_library_of_data_and_no_platforms(settings: str) -> None:
    loaded = _loaded_by("status", "-c", settings, of=_LIBRARIES)

    assert loaded == "[]"


def test_help_loads_nothing_that_a_command_works_with() -> None:
    loaded = _loaded_by("--help", of=(*_LIBRARIES, *_FOR_WORK))

    assert loaded == "[]"


def test_a_revocation_waits_for_no_library_of_data() -> None:
    deferred = "from cohortd.cli.deferred import HEAVY, defer; defer(*HEAVY)"
    tell = f"import sys; print([name for name in {_LIBRARIES!r} if name in sys.modules])"

    loaded = _python(f"{deferred}; import cohortd.bootstrap, cohortd.pipeline.revoking; {tell}")

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
