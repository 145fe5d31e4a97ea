"""The rules for Prometheus do what they should: promtool says so, where there is one."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "deploy" / "prometheus"
PROMTOOL = shutil.which(os.environ.get("PROMTOOL", "promtool"))


def test_every_rule_is_seen_to_fire() -> None:
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
    named = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}

    assert (
        set(re.findall(r"Cohortd\w+", (FOLDER / "alerts-test.yaml").read_text(encoding="utf-8"))) == named
    )


@pytest.mark.skipif(PROMTOOL is None, reason="THE RULES ARE NOT TESTED: there is no promtool (make rules)")
def test_rules_fire_when_they_should_and_only_then() -> None:
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "alerts-test.yaml"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
