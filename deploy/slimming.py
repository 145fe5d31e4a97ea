"""Take out of an environment what the product never loads.

    python slimming.py /opt/cohortd      # prints what went, with its megabytes and why

Only what nothing of ours and nothing that we load asks for: ``python -m tests.container`` runs the image
without it. A rule that finds nothing is a fault, so that the list cannot rot.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

#: The one version of the Google Ads API that is spoken; a test holds it to the connector.
GOOGLE_ADS: Final = "v26"


class Rule(NamedTuple):
    """Files or folders of site-packages, and why nobody misses them."""

    pattern: str
    why: str


RULES: Final = (
    Rule("google/ads/googleads/v[0-9]*", f"versions of the API beside {GOOGLE_ADS}, the one spoken"),
    Rule("phonenumbers/geodata", "where a number is from; only its form is asked"),
    Rule("phonenumbers/carrierdata", "whose network a number is in; the same"),
    Rule("phonenumbers/tzdata", "what time it is there; the same"),
    Rule("pycountry", "countries for Meta's parameter builder, which is not used"),
    Rule("pyarrow/*flight*", "Arrow's own wire protocol; tables come as files or by SQL"),
    Rule("pyarrow/libarrow_python*.so", "a second copy of what is linked by its version"),
    Rule("pyarrow/libarrow_python*.so.*.*.*", "a third one"),
    Rule("pyarrow/include", "headers for compilers"),
    Rule("pyarrow/src", "sources for compilers"),
    Rule("numpy/_core/include", "headers for compilers"),
    Rule("*/tests", "tests of the packages themselves"),
    Rule("*/*/tests", "the same"),
    Rule("*/*/*/tests", "the same"),
    Rule("facebook_business/test", "the same"),
    Rule(
        "facebook_business/adobjects/userexportforcam.py",
        "a name in it is Python's own: nobody can load it",
    ),
    Rule("examples", "the Google Ads library's, as a package of that name"),
    Rule("test", "the parameter builder's tests, as a package of that name"),
    Rule("fontTools/**/*.c", "sources of what is compiled"),
    Rule("sklearn/**/*.pyx", "the same"),
    Rule("sqlalchemy/testing", "for those who test dialects"),
    Rule("matplotlib/mpl-data/sample_data", "data for its examples"),
)
#: Libraries whose symbols for debuggers weigh something. Not those that auditwheel rewrote, which
#: ``strip`` can break.
STRIPPED: Final = ("pyarrow/*.so*", "pysqlite3/*.so")


def spared(path: Path) -> bool:
    """Tell whether a rule catches something that is needed all the same."""
    return path.name == GOOGLE_ADS or not path.exists()


def weight(path: Path) -> int:
    """Count the bytes of a file, or of all files of a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.lstat().st_size for each in files)


def drop(path: Path) -> int:
    """Take a file or folder away and return its bytes."""
    size = weight(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    return size


def slim(packages: Path) -> list[tuple[Rule, int]]:
    """Apply every rule and say how many bytes it freed.

    Raises:
        SystemExit: A rule found nothing.
    """
    freed = []
    for rule in RULES:
        found = [path for path in sorted(packages.glob(rule.pattern)) if not spared(path)]
        if not found:
            raise SystemExit(f"slimming: nothing is like {rule.pattern} any more; take the rule out")
        freed.append((rule, sum(map(drop, found))))
    return freed


def strip(packages: Path) -> list[tuple[Rule, int]]:
    """Take symbols out of libraries, where there is the tool for it, and say how many bytes it freed."""
    tool = shutil.which("strip")
    freed = []
    for pattern in STRIPPED if tool is not None else ():
        files = sorted(packages.glob(pattern))
        before = sum(map(weight, files))
        subprocess.run([tool, "--strip-unneeded", *files], check=True)  # noqa: S603 - our own call
        freed.append((Rule(pattern, "symbols for debuggers"), before - sum(map(weight, files))))
    return freed


def main() -> None:
    """Slim the environment named on the command line."""
    (packages,) = Path(sys.argv[1]).glob("lib/python3*/site-packages")
    freed = slim(packages) + strip(packages)
    for rule, size in freed:
        print(f"{size / 1e6:7.1f} MB  {rule.pattern}: {rule.why}")  # noqa: T201 - what it is for
    print(f"{sum(size for _, size in freed) / 1e6:7.1f} MB  in all")  # noqa: T201


if __name__ == "__main__":
    main()
