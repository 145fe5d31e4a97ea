"""What is taken out of the image is what it never needs, and what is in it is named."""

import importlib.util
import re
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from connectors.google_ads.options import GoogleAdsOptions

ROOMS = {"cohortd", "connectors", "clustering", "consent", "config"}
DEPLOY = Path(__file__).parents[3] / "deploy"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DEPLOY / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_version_of_google_ads_that_is_spoken_stays() -> None:
    (spoken,) = [each.default for each in fields(GoogleAdsOptions) if each.name == "version"]

    assert spoken == _script("slimming").GOOGLE_ADS


def test_what_a_rule_catches_goes_and_a_rule_that_catches_nothing_stops_the_build(tmp_path: Path) -> None:
    slimming = _script("slimming")
    slimming.RULES = (slimming.Rule("api/v*", "old"), slimming.Rule("*/tests", "tests"))
    for name in ("api/v25/x.py", f"api/{slimming.GOOGLE_ADS}/x.py", "lib/tests/x.py", "lib/kept.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1234")
    freed = slimming.slim(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.py"))

    assert [size for _, size in freed] == [4, 4]
    assert left == [f"api/{slimming.GOOGLE_ADS}/x.py", "lib/kept.py"]
    with pytest.raises(SystemExit, match="take the rule out"):
        slimming.slim(tmp_path)


def test_nothing_of_ours_is_taken_out() -> None:
    root = DEPLOY.parent
    caught = {
        path.relative_to(root) for rule in _script("slimming").RULES for path in root.glob(rule.pattern)
    }

    assert [path for path in caught if path.parts[0] in ROOMS] == []


def test_every_package_of_an_environment_is_named_with_the_hashes_it_was_checked_against() -> None:
    bill = _script("bill_of_materials")
    lock = (DEPLOY.parent / "requirements.lock").read_text(encoding="utf-8")
    made, again = bill.bill(lock), bill.bill(lock)
    by_name = {each["name"]: each for each in made["components"]}

    assert made == again
    assert made["metadata"]["component"]["name"] == "cohortd"
    assert by_name["numpy"]["purl"].startswith("pkg:pypi/numpy@")
    assert re.fullmatch(r"[0-9a-f]{64}", by_name["numpy"]["hashes"][0]["content"])
