"""California's deletion lists: who is on one is taken back everywhere, and what is answered is true."""

import zipfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from shop import Answer, Shop, grant, open_shop

from cohortd import bootstrap
from cohortd.core.times import now_utc
from cohortd.pipeline.dropping import take_all_in

EMAIL, PHONE = "20260312_4821_Email.csv", "20260312_4821_Phone.csv"
NOBODY = "nobody@example.org"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop", customers=50) as opened:
        yield opened


def _hash(standard: str) -> str:
    return b64encode(sha256(standard.encode()).digest()).decode()


def _download(shop: Shop, lists: Mapping[str, Sequence[tuple[str, str]]]) -> Path:
    path = shop.folder / "20260312_4821_DROP.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, items in lists.items():
            archive.writestr(name, "ID,Hash\n" + "".join(f"{i},{_hash(each)}\n" for i, each in items))
    return path


def _import(shop: Shop, download: Path, *options: str) -> tuple[Answer, list[str]]:
    report = shop.folder / "answers.csv"
    answer = shop.call("consent", "import-drop", str(download), "--report", str(report), "--json", *options)
    return answer, report.read_text().splitlines() if report.exists() else []


def test_whoever_is_on_a_list_is_gone_everywhere_and_only_what_is_true_is_answered(synced: Shop) -> None:
    email, phone = synced.customers["c00041"]["email"], synced.customers["c00043"]["phone"]
    shared = synced.customers["c00044"]["phone"]
    synced.customers["c00046"]["phone"] = shared
    synced.write()
    download = _download(
        synced,
        {
            EMAIL: [("AAAAAAAAAAA1", email), ("AAAAAAAAAAA2", NOBODY)],
            PHONE: [("AAAAAAAAAAA3", phone[-10:]), ("AAAAAAAAAAA4", shared[-10:])],
            "20260312_4821_NDZ.csv": [("AAAAAAAAAAA5", "x")],
            "20260312_4821_Removed.csv": [("AAAAAAAAAAA6", "x")],
        },
    )
    before = [synced.destinations_of(c) for c in ("c00041", "c00043", "c00044")]
    answer, said = _import(synced, download)
    again, _ = _import(synced, download)
    done, deleted = _import(synced, download, "--deleted")
    told = synced.query(
        "SELECT DISTINCT l.cause, c.source, l.regulation, l.rule FROM removal_log l, consent_record c"
        " WHERE c.status = 'revoked'"
    )

    assert (answer.code, done.code) == (0, 0), answer.out
    assert all(before)
    assert [synced.destinations_of(c) for c in ("c00041", "c00043", "c00044")] == [set()] * 3
    assert said == ["Id,Status", "AAAAAAAAAAA2,5", "AAAAAAAAAAA4,4"]
    assert deleted == ["Id,Status", "AAAAAAAAAAA1,3", "AAAAAAAAAAA2,5", "AAAAAAAAAAA3,3", "AAAAAAAAAAA4,4"]
    assert answer.json["not_compared"] == {"NDZ": 1}
    assert answer.json["rows"]["Removed"] == 1
    assert (answer.json["withdrawn"], again.json["withdrawn"], again.json["known"]) == (4, 0, 4)
    assert told == [("drop", "drop", "ccpa", "revoked")]
    assert (synced.folder / "answers.csv").stat().st_mode & 0o777 == 0o600


def test_who_left_the_customers_table_is_found_by_the_e_mail_that_was_sent(synced: Shop) -> None:
    email = synced.customers.pop("c00041")["email"]
    synced.write()
    held = sha256(email.encode()).hexdigest()
    answer, said = _import(synced, _download(synced, {EMAIL: [("AAAAAAAAAAA1", email)]}))

    assert (answer.code, answer.json["withdrawn"]) == (0, 1)
    assert said == ["Id,Status"]
    assert not any(held in identifier for identifier in synced.everything_held())


def test_an_address_of_a_customer_and_of_a_former_one_names_two_people(synced: Shop) -> None:
    former = synced.customers.pop("c00041")
    synced.customers["c00042"]["email"] = former["email"]
    synced.write()
    held = sha256(former["email"].encode()).hexdigest()
    download = _download(synced, {EMAIL: [("AAAAAAAAAAA1", former["email"])]})
    answer, said = _import(synced, download, "--deleted")

    assert answer.json["found"] == {"nobody": 0, "granted_again": 0, "one": 0, "several": 1}
    assert said == ["Id,Status", "AAAAAAAAAAA1,4"]
    assert synced.destinations_of("c00042") == set()
    assert not any(held in identifier for identifier in synced.everything_held())


def test_a_confirmed_grant_since_the_import_stays_although_the_list_is_imported_again(small: Shop) -> None:
    download = _download(small, {EMAIL: [("AAAAAAAAAAA1", small.customers["c00041"]["email"])]})
    _import(small, download)
    small.consent.append(grant("c00041", at=now_utc().isoformat(), confirmed="yes"))
    small.write()
    with bootstrap.open_pipeline(bootstrap.load_settings(str(small.config))) as pipeline:
        take_all_in(pipeline, as_of=pipeline.clock())
    answer, said = _import(small, download, "--deleted")

    assert said == ["Id,Status"]
    assert answer.json["found"]["granted_again"] == 1
    assert small.query("SELECT count(*) FROM withdrawal WHERE lifted_at IS NULL") == [(0,)]


def test_a_folder_gets_an_answer_file_a_list_and_a_broken_download_none(small: Shop) -> None:
    folder = small.folder / "answers"
    folder.mkdir()
    download = _download(small, {EMAIL: [("AAAAAAAAAAA2", NOBODY)], PHONE: []})
    good = small.call("consent", "import-drop", str(download), "--report", str(folder), "--json")
    written = {path.name: path.read_text() for path in folder.iterdir()}
    download.write_bytes(download.read_bytes()[:-30])
    bad = small.call(
        "consent", "import-drop", str(download), "--report", str(small.folder / "none.csv"), "--json"
    )

    assert (good.code, bad.code) == (0, 1)
    assert written == {EMAIL: "Id,Status\nAAAAAAAAAAA2,5\n"}
    assert not list(small.folder.glob("none.csv*"))
