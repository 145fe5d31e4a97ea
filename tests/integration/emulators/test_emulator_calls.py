"""What a fault schedule may name is what the stand-ins answer, and is in the documents."""

import re
from dataclasses import fields
from pathlib import Path

from cohortd.core.times import now_utc
from cohortd.emulators.calls import CALLS
from cohortd.emulators.fault_files import load_schedule
from cohortd.emulators.faults import Fault, FaultKind, FaultSchedule
from cohortd.emulators.google_ads import GoogleAds
from cohortd.emulators.google_data_manager import DataManager
from cohortd.emulators.google_state import GoogleRules, GoogleState
from cohortd.emulators.meta_graph import NAMES

DOCUMENT = Path(__file__).parents[3] / "docs" / "emulators.md"


def test_every_call_that_is_answered_has_a_name_a_schedule_may_use() -> None:
    state = GoogleState(None, rules=GoogleRules(), faults=FaultSchedule(), clock=now_utc)
    answered = {each[0] for each in (DataManager(state).methods() | GoogleAds(state).methods()).values()}

    assert set(CALLS) == answered | set(NAMES.values()) | {"dm.processing", "ads.processing"}


def test_the_document_names_every_call_kind_and_field() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = {word for cell in re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE) for word in cell.split("`")}

    assert set(CALLS) <= rows
    assert {kind.value for kind in FaultKind} <= rows
    assert {field.name for field in fields(Fault)} <= rows


def test_the_documents_example_is_a_schedule(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.+?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert example
    file = tmp_path / "faults.yaml"
    file.write_text(example[1], encoding="utf-8")

    assert load_schedule(file).next("users.add") == Fault(call="users.add", status=503)
