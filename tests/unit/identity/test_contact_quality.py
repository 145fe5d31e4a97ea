from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from identified import batch, dropped, run

from cohortd.core.identifiers import Family
from cohortd.core.quality import ContactFigures, FieldQuality, Validity
from cohortd.core.tables import CONTACT_FIELDS
from cohortd.identity import ContactQuality, match_keys
from cohortd.identity.quality import USED

BOTH = tuple(Family)
UUID = "6f1a2b3c-0000-4000-8000-00000000000{}"
PEOPLE: list[Mapping[str, object]] = [
    {
        "email": ["Ann@Example.com", "ann@example.com", "info@example.com"],
        "phone": ["+14155550101"],
        "first_name": "Ann",
        "last_name": "Lee",
        "postal_code": "94105",
        "country": "US",
    },
    {
        "email": ["ann@example.com", "nobody", "no body@example.com"],
        "phone": None,
        "first_name": "Bob",
        "last_name": None,
        "postal_code": "abc",
        "country": "US",
    },
    {
        "email": ["jane.doe@gmail.com"],
        "phone": ["123", "+14155550101"],
        "first_name": "Jane",
        "last_name": "Doe",
        "postal_code": None,
        "country": None,
    },
    {"email": ["janedoe@gmail.com", "x@mailinator.com", "x@gmial.com"], "phone": None},
    {"email": None, "phone": None},
]


def figures(folder: Path, contacts: list[pa.RecordBatch], families: tuple[Family, ...]) -> ContactFigures:
    with ContactQuality(folder, families) as quality:
        for one in contacts:
            quality.read(one)
            for family in families:
                quality.identified(family, one, run(one, family))
        return quality.figures()


def fields(found: ContactFigures) -> dict[str, FieldQuality]:
    return {each.name: each for each in found.fields}


def test_a_small_table_is_counted_as_by_hand(tmp_path: Path) -> None:
    found = fields(figures(tmp_path, [batch(*PEOPLE)], BOTH))

    refused = {"inner_white_space": 1, "no_at_sign": 1}
    assert found["email"] == FieldQuality(
        "email",
        rows=4,
        present=10,
        platforms={"google": Validity(8, refused), "meta": Validity(8, refused)},
        # Ann thrice, and Gmail ignores Jane's dot.
        duplicates=3,
        shared=2,
        sharing=4,
        doubts={"disposable": 1, "typing_error": 1, "role": 1},
    )
    number = {"not_a_valid_number": 1}
    assert found["phone"] == FieldQuality(
        "phone",
        rows=2,
        present=3,
        platforms={"google": Validity(2, number), "meta": Validity(2, number)},
        duplicates=1,
        shared=1,
        sharing=2,
    )
    assert found["last_name"] == FieldQuality(
        "last_name", rows=2, present=2, platforms={"google": Validity(2), "meta": Validity(2)}
    )
    assert found["postal_code"].platforms["google"] == Validity(1, {"not_a_us_postal_code": 1})
    assert found["address"] == FieldQuality(
        "address",
        rows=3,
        present=3,
        platforms={"google": Validity(1, {"incomplete_address": 2})},
        duplicates=0,
        shared=0,
        sharing=0,
    )


def test_customers_are_counted_by_the_keys_they_have(tmp_path: Path) -> None:
    found = figures(tmp_path, [batch(*PEOPLE)], BOTH)

    assert found.keys == {
        # Ann by e-mail, phone and address; Jane by two; Bob and the fourth by e-mail; the last by none.
        "google": {"0": 1, "1": 2, "2": 1, "3+": 1},
        # Ann's third key is her profile.
        "meta": {"0": 1, "1": 2, "2": 1, "3+": 1},
    }


def test_batches_add_up(tmp_path: Path) -> None:
    # A batch has the types of its table, whatever its rows hold.
    table = batch(*PEOPLE)
    one_by_one = [table.slice(row, 1) for row in range(table.num_rows)]

    assert figures(tmp_path, one_by_one, BOTH) == figures(tmp_path, [table], BOTH)


def test_without_google_meta_tells_what_repeats(tmp_path: Path) -> None:
    found = fields(figures(tmp_path, [batch(*PEOPLE)], (Family.META,)))

    assert (found["email"].duplicates, found["email"].shared) == (2, 1)
    assert "address" not in found


def test_addresses_that_came_hashed_are_not_doubted(tmp_path: Path) -> None:
    with ContactQuality(tmp_path, BOTH, hashed=["email"]) as quality:
        quality.read(batch({"email": ["info@example.com"]}))
        found = fields(quality.figures())

    assert found["email"].doubts == {}


@pytest.mark.parametrize(
    ("person", "google", "meta"),
    [
        ({"email": None}, 0, 0),
        ({"email": ["ann@example.com", "lee@example.com"]}, 1, 1),
        ({"email": ["ann@example.com"], "phone": ["+14155550101"]}, 2, 2),
        ({"mobile_ad_id": UUID.format(1), "external_id": "7"}, 0, 2),
        ({"email": ["a@b.example"], "first_name": "Ann", "last_name": "Lee"}, 1, 1),
        ({"email": ["a@b.example"], "first_name": "Ann", "last_name": "Lee", "city": "Bonn"}, 1, 2),
        ({"email": ["a@b.example"], "first_name": "Ann", "last_name": "Lee", "birth_date": "x"}, 1, 1),
        ({"first_name": "Ann", "last_name": "Lee", "postal_code": "94105", "country": "US"}, 1, 0),
    ],
)
def test_keys_are_independent_and_two_of_a_kind_are_one(
    person: Mapping[str, object], google: int, meta: int
) -> None:
    contacts = batch(person)

    assert match_keys(contacts, run(contacts, Family.GOOGLE), Family.GOOGLE).tolist() == [google]
    assert match_keys(contacts, run(contacts, Family.META), Family.META).tolist() == [meta]


@pytest.mark.parametrize("family", Family)
def test_what_a_family_uses_is_what_it_complains_of(family: Family) -> None:
    """Hashes are refused wherever a field is read: in plain columns, and for Meta's gender as none."""
    digest = "a" * 64
    contacts = batch({name: [digest] if name in {"email", "phone"} else digest for name in CONTACT_FIELDS})

    complaints = {name for _, name, _ in dropped(run(contacts, family))}

    assert complaints | {"external_id"} == USED[family] | {"external_id"}


_EMAILS = st.one_of(
    st.text(max_size=12),
    st.builds(
        "{}@{}".format,
        st.sampled_from(["info", "ann", "+x", "", "a b", "a.b", "é", "in\x0bfo"]),
        st.sampled_from(["gmail.com", "gmial.com", "mailinator.com", "local", "x.con", "münchen.example"]),
    ),
)


@given(st.lists(st.one_of(st.none(), st.lists(_EMAILS, max_size=3)), min_size=1, max_size=8))
def test_valid_and_invalid_add_up_and_nobody_doubts_what_is_invalid(emails: list[list[str] | None]) -> None:
    contacts = pa.RecordBatch.from_pydict({"email": pa.array(emails, pa.list_(pa.string()))})
    with TemporaryDirectory() as folder:
        found = figures(Path(folder), [contacts], BOTH)

    told = fields(found)["email"]
    assert told.present == sum(len(each or []) for each in emails)
    for validity in told.platforms.values():
        assert validity.valid + sum(validity.invalid.values()) == told.present
        assert sum(told.doubts.values()) <= validity.valid
    assert 0 <= (told.duplicates or 0) <= told.platforms["google"].valid
    assert [sum(counts.values()) for counts in found.keys.values()] == [len(emails), len(emails)]
