"""What lies in the folder, for how long, and what is said of it."""

import errno
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cohortd.core.delivery import Action, BatchState, RemoteSpec
from cohortd.core.errors import FatalError, GoneError, RejectedError, RetryableError
from cohortd.core.identifiers import Family, IdentifierKind
from connectors.contract_kit import batch_of, person
from connectors.csv_drop import CsvDropConnector, CsvDropOptions
from connectors.csv_drop.codes import BY_CODE
from connectors.csv_drop.disk import Disk
from connectors.csv_drop.errors import translate

SPEC = RemoteSpec("s1", "Big spenders, Zürich", "Spend much", owner="0a1b:drop:18f")
ANN, BOB = person(1), person(2)
KEEP_DAYS = 30


class Clock:
    now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connector(tmp_path: Path, clock: Clock) -> CsvDropConnector:
    options = CsvDropOptions(folder=tmp_path / "drop", template=Family.GOOGLE, keep_days=KEEP_DAYS)
    return CsvDropConnector(options, clock=clock)


@pytest.fixture
def home(tmp_path: Path, connector: CsvDropConnector) -> Path:
    return tmp_path / "drop" / connector.ensure(SPEC)


def _names(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir() if path.name[0].isdigit())


def test_a_folder_is_called_by_its_audience_and_closed_to_others(home: Path) -> None:
    assert home.name.startswith("big-spenders-z-rich-")
    assert {path.stat().st_mode & 0o077 for path in (home.parent, home, home / "audience.json")} == {0}


def test_steps_are_numbered_in_their_order_with_what_to_do(connector: CsvDropConnector, home: Path) -> None:
    connector.apply(batch_of(home.name, Action.ADD, ANN, BOB))
    connector.apply(batch_of(home.name, Action.REMOVE, BOB))
    manifest = json.loads((home / "000002-remove.json").read_text())

    assert _names(home) == ["000001-add.csv", "000001-add.json", "000002-remove.csv", "000002-remove.json"]
    assert manifest["do"].startswith("Remove the customers in this file from the audience")
    assert (manifest["audience"], manifest["rows"], manifest["members"]) == (SPEC.name, 1, 1)


def test_a_manifest_holds_no_identifier(connector: CsvDropConnector, home: Path) -> None:
    connector.apply(batch_of(home.name, Action.ADD, ANN))
    said = (home / "000001-add.json").read_text()

    assert not [each for each in ANN.identifiers if each.digest.hex()[:16] in said]


def test_a_waiting_addition_loses_whoever_leaves(connector: CsvDropConnector, home: Path) -> None:
    connector.apply(batch_of(home.name, Action.ADD, ANN, BOB))
    connector.apply(batch_of(home.name, Action.REMOVE, BOB))
    waiting = (home / "000001-add.csv").read_text()

    assert [each.digest.hex() in waiting for each in ANN.identifiers] == [True, True]
    assert [each.digest.hex() in waiting for each in BOB.identifiers] == [False, False]
    assert json.loads((home / "000001-add.json").read_text())["rows"] == 1


def test_an_addition_that_everybody_left_has_no_file(connector: CsvDropConnector, home: Path) -> None:
    connector.apply(batch_of(home.name, Action.ADD, ANN))
    connector.apply(batch_of(home.name, Action.REMOVE, ANN))
    manifest = json.loads((home / "000001-add.json").read_text())

    assert not (home / "000001-add.csv").exists()
    assert (manifest["file"], manifest["rows"]) == (None, 0)


def test_an_addition_that_a_spreadsheet_saved_does_not_hold_up_a_removal(
    connector: CsvDropConnector, home: Path
) -> None:
    connector.apply(batch_of(home.name, Action.ADD, ANN))
    (home / "000001-add.csv").write_bytes(b"\xff\xfe;not;ours\n1;2\n")
    receipt = connector.apply(batch_of(home.name, Action.REMOVE, ANN))

    assert receipt.state is BatchState.CONFIRMED
    assert (home / "000002-remove.csv").exists()


def test_it_is_said_what_waits(connector: CsvDropConnector, home: Path, clock: Clock) -> None:
    nothing = connector.read(home.name).state
    connector.apply(batch_of(home.name, Action.ADD, ANN))
    connector.apply(batch_of(home.name, Action.ADD, BOB))
    clock.pass_days(3)

    assert nothing == "no file waits to be uploaded"
    assert connector.read(home.name).state == (
        "2 files to be uploaded by hand, 000001-add.csv first, for 3 days"
    )


def test_uploaded_files_go_after_the_days_of_the_settings(
    connector: CsvDropConnector, home: Path, clock: Clock
) -> None:
    connector.apply(batch_of(home.name, Action.ADD, ANN))
    taken = (home / "000001-add.csv").rename(home / "uploaded" / "000001-add.csv")
    clock.pass_days(KEEP_DAYS)
    connector.read(home.name)
    kept = taken.exists()
    clock.pass_days(1)
    status = connector.read(home.name)

    assert (kept, taken.exists()) == (True, False)
    assert status.state == "no file waits to be uploaded"


def test_an_addition_that_nobody_took_goes_too_and_is_told(
    connector: CsvDropConnector, home: Path, clock: Clock
) -> None:
    connector.apply(batch_of(home.name, Action.ADD, ANN))
    clock.pass_days(KEEP_DAYS + 1)
    status = connector.read(home.name)

    assert _names(home) == ["000001-add.expired.json"]
    assert status.state == (
        "no file waits to be uploaded; 1 file of additions deleted after 30 days before anybody uploaded"
        " them, 000001-add.csv first"
    )


def test_a_removal_that_nobody_took_stays_and_is_told(
    connector: CsvDropConnector, home: Path, clock: Clock
) -> None:
    connector.apply(batch_of(home.name, Action.REMOVE, ANN))
    clock.pass_days(KEEP_DAYS + 1)
    status = connector.read(home.name)

    assert (home / "000001-remove.csv").exists()
    assert "000001-remove.csv takes people back and waits for more than 30 days" in status.state


def test_numbers_go_on_after_everything_was_deleted(
    connector: CsvDropConnector, home: Path, clock: Clock
) -> None:
    connector.apply(batch_of(home.name, Action.ADD, ANN))
    clock.pass_days(KEEP_DAYS + 1)
    connector.apply(batch_of(home.name, Action.ADD, BOB))

    assert (home / "000002-add.csv").exists()


def test_what_a_broken_write_left_is_cleared_away(connector: CsvDropConnector, home: Path) -> None:
    (home / "000001-add.csv").write_text("half")
    (home / ".000002-add.csv.part").write_text("half")
    connector.apply(batch_of(home.name, Action.ADD, ANN))

    assert _names(home) == ["000001-add.csv", "000001-add.json"]
    assert list(home.glob(".*.part")) == []


def test_whoever_fits_no_column_is_rejected_and_the_others_are_written(
    connector: CsvDropConnector, home: Path
) -> None:
    stranger = person(3, IdentifierKind.EXTERNAL_ID)
    added = connector.apply(batch_of(home.name, Action.ADD, stranger, ANN))
    alone = connector.apply(batch_of(home.name, Action.ADD, stranger))
    removed = connector.apply(batch_of(home.name, Action.REMOVE, stranger))

    assert (added.state, list(added.rejected)) == (BatchState.CONFIRMED, [0])
    assert (alone.state, list(alone.rejected)) == (BatchState.REJECTED, [0])
    assert (removed.state, removed.rejected) == (BatchState.CONFIRMED, {})


def test_retiring_and_taking_into_use_again_are_steps_for_people(
    connector: CsvDropConnector, home: Path
) -> None:
    connector.retire(home.name)
    retired = connector.read(home.name)
    connector.ensure(SPEC)

    assert (retired.state, retired.usable) == ("retired; no file waits to be uploaded", False)
    assert _names(home) == ["000001-retire.json", "000002-reopen.json"]


def test_a_folder_that_is_not_mounted_has_lost_no_audience(connector: CsvDropConnector, home: Path) -> None:
    away = home.parent.rename(home.parent.with_name("elsewhere"))
    with pytest.raises(FatalError) as raised:
        connector.read(home.name)
    away.rename(home.parent)

    assert not isinstance(raised.value, GoneError)
    assert raised.value.scope == "destination"
    assert connector.read(home.name).state == "no file waits to be uploaded"


def test_an_audience_whose_folder_was_deleted_is_gone(connector: CsvDropConnector, home: Path) -> None:
    home.rename(home.parent.parent / "elsewhere")

    assert connector.read(home.name).state == "gone"


@pytest.mark.parametrize("remote_id", ["..", "../drop", "a/b", "/etc", ".lock", ""])
def test_no_audience_lies_outside_of_the_folder(
    connector: CsvDropConnector, home: Path, remote_id: str
) -> None:
    with pytest.raises(GoneError):
        connector.apply(batch_of(remote_id, Action.ADD, ANN))


def test_an_unreadable_description_is_a_persons_to_mend(connector: CsvDropConnector, home: Path) -> None:
    (home / "audience.json").write_text("{")
    with pytest.raises(FatalError, match="cannot be read") as raised:
        connector.apply(batch_of(home.name, Action.ADD, ANN))

    assert raised.value.scope == "audience"


def test_more_than_a_file_holds_is_refused(connector: CsvDropConnector, home: Path) -> None:
    with pytest.raises(RejectedError):
        connector.apply(batch_of(home.name, Action.ADD, *[ANN] * 100_001))


@pytest.mark.parametrize("code", [*BY_CODE, errno.EXDEV, 0])
def test_every_code_says_what_to_do(code: int) -> None:
    error = translate(OSError(code, "said by the system", "/a/path"))

    assert isinstance(error, RetryableError) or error.cure
    assert "/a/path" not in str(error)


def test_a_file_that_breaks_off_is_not_there(tmp_path: Path) -> None:
    (tmp_path / ".x.part").mkdir()
    with pytest.raises(IsADirectoryError):
        Disk().publish(tmp_path / "x", b"content")

    assert not (tmp_path / "x").exists()


def test_a_renaming_is_a_step_for_people_that_names_both(connector: CsvDropConnector, home: Path) -> None:
    for _ in range(2):
        connector.rename(home.name, "Best customers")
    step = json.loads((home / "000001-rename.json").read_text(encoding="utf-8"))

    assert _names(home) == ["000001-rename.json"]
    assert (step["audience"], step["becomes"]) == (SPEC.name, "Best customers")
    assert [each.name for each in connector.marked()] == ["Best customers"]
