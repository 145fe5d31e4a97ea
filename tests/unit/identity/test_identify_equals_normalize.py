import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from identified import BIRTH, PROFILE, TODAY, dropped, found, run

from cohortd.core.identifiers import Family, Identifier, IdentifierKind
from cohortd.core.payloads import pack
from cohortd.identity import normalize

cells = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "",
            " ",
            "A@x.com",
            "a@gmail.com",
            "+1 650 555 1212",
            "020 7946 0958",
            "Ann",
            "UK",
            "US",
            "10001",
            "California",
        ]
    ),
    st.text(max_size=12),
)
tables = st.lists(
    st.fixed_dictionaries(
        {
            "email": cells,
            "phone": cells,
            "country": st.sampled_from([None, "", "US", "uk", "Atlantis"]),
            "external_id": cells,
            **{field: cells for field in PROFILE.values() if field not in {"first_initial", "country"}},
            "birth_date": st.one_of(st.none(), st.dates().map(str), st.just("x")),
        }
    ),
    min_size=1,
    max_size=6,
)


def expected_profile(row: dict[str, str | None], region: str | None) -> dict[str, str]:
    sources = {key: (field, row.get(field)) for key, field in PROFILE.items()}
    sources["FI"] = ("first_initial", row["first_name"])
    sources |= {key: (field, row["birth_date"]) for key, field in BIRTH.items()}
    digests = {
        key: normalize(Family.META, field, value, region=region, today=TODAY).sha256
        for key, (field, value) in sources.items()
        if value is not None
    }
    return {key: digest for key, digest in digests.items() if digest is not None}


@given(rows=tables, family=st.sampled_from(Family), default=st.sampled_from([None, "US", "GB"]))
@settings(deadline=None, max_examples=150)
def test_a_batch_says_what_its_values_say_one_by_one(
    rows: list[dict[str, str | None]], family: Family, default: str | None
) -> None:
    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in rows[0]}
    result = run(pa.RecordBatch.from_pydict(columns), family, region=default)

    kinds = {"email": IdentifierKind.EMAIL, "phone": IdentifierKind.PHONE}
    expected = []
    for number, row in enumerate(rows):
        region = row["country"] or default
        profile = pack(expected_profile(row, region)) if family is Family.META else b""
        for field, kind in kinds.items():
            digest = normalize(family, field, row[field] or "", region=region).sha256
            if digest:
                expected.append((number, Identifier(kind, bytes.fromhex(digest), profile)))
    contact_points = [(row, one) for row, one in found(result) if one.kind in kinds.values()]
    assert contact_points == expected

    for number, row in enumerate(rows):
        for field in ("email", "phone", "first_name", "country"):
            reason = normalize(family, field, row[field] or "", region=row["country"] or default).reason
            given_reasons = [why for at, name, why in dropped(result) if (at, name) == (number, field)]
            assert given_reasons == ([] if row[field] is None or reason is None else [reason])
