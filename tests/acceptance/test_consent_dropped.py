"""Files of consent records in a folder: each taken in once, when it is whole, and moved away."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import Shop, open_shop

from cohortd import bootstrap
from cohortd.pipeline.dropping import take_all_in

HEAD = "customer_id,status,recorded_at\n"


@pytest.fixture
def dropping(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop", customers=40) as shop:
        (shop.folder / "drop").mkdir()
        shop.change(sources={"consent_drop": {"path": "drop"}})
        yield shop


def _lay(shop: Shop, name: str, text: str, *, age_s: float = 60) -> None:
    file = shop.folder / "drop" / name
    file.write_text(text, encoding="utf-8")
    os.utime(file, (time.time() - age_s,) * 2)


def _look(shop: Shop, *, times: int = 1) -> None:
    with bootstrap.open_pipeline(bootstrap.load_settings(str(shop.config))) as pipeline:
        for _ in range(times):
            take_all_in(pipeline, as_of=pipeline.clock())


def _names(shop: Shop, *below: str) -> list[str]:
    folder = shop.folder.joinpath("drop", *below)
    with contextlib.suppress(FileNotFoundError):
        return sorted(
            path.name.partition("-")[2] or path.name for path in folder.iterdir() if path.is_file()
        )
    return []


def _withdrawals(shop: Shop) -> int:
    return shop.query("SELECT count(*) FROM withdrawal WHERE lifted_at IS NULL")[0][0]


def test_a_file_is_taken_in_once_and_moved_away(dropping: Shop) -> None:
    for name in ("a.csv", "b.csv"):  # the same file, laid down twice
        _lay(dropping, name, HEAD + "c00001,revoked,2026-02-01\n")
    _look(dropping, times=2)

    assert (_names(dropping), _names(dropping, "done")) == ([], ["a.csv", "b.csv"])
    assert _withdrawals(dropping) == 1
    assert dropping.query("SELECT count(*) FROM received_event") == [(1,)]


def test_what_is_still_written_to_is_left_alone(dropping: Shop) -> None:
    text = HEAD + "c00001,revoked,2026-02-01\n"
    _lay(dropping, "young.csv", text, age_s=0)
    for name in ("export.csv.part", ".hidden.csv", "read me.md"):
        _lay(dropping, name, text)
    _look(dropping)

    assert _names(dropping) == [".hidden.csv", "export.csv.part", "read me.md", "young.csv"]
    assert _withdrawals(dropping) == 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("who,what\n1,2\n", "no column"),
        (b"\xff\xfe\x00".decode("latin-1"), ""),
        ("email,status,recorded_at\nnot-an-address,revoked,2026-02-01\n", "1 withdrawals name nobody"),
    ],
)
def test_a_file_at_fault_is_put_aside_told_and_holds_up_no_other(
    dropping: Shop, text: str, fault: str
) -> None:
    _lay(dropping, "a-broken.csv", text)
    _lay(dropping, "b.csv", HEAD + "c00001,revoked,2026-02-01\n")
    _look(dropping, times=2)
    [parked] = dropping.call("consent", "parked", "--json").json["parked"]

    assert (_names(dropping, "failed"), _names(dropping, "done")) == (["a-broken.csv"], ["b.csv"])
    assert _withdrawals(dropping) == 1
    assert parked["source"] == "consent_drop"
    assert fault in parked["fault"]


def test_a_folder_that_is_not_there_holds_nothing_up(dropping: Shop) -> None:
    (dropping.folder / "drop").rmdir()
    _look(dropping)

    assert _withdrawals(dropping) == 0
