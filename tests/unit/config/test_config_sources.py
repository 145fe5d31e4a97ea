import pytest


def _customers(columns: str) -> str:
    return f"sources: {{customers: {{path: a.csv, columns: {columns}}}}}"


def test_columns_map_our_name_to_theirs(loading):
    customers = loading(_customers("{customer_id: id, email: {column: mail, hashed: true}, points: p}"))
    source = customers.sources.customers
    assert source.mapping == {"customer_id": "id", "email": "mail", "points": "p"}
    assert source.hashed == {"email"}
    assert source.attributes == ("points",)


def test_needed_columns_are_read_even_where_they_are_not_mapped(loading):
    assert loading(_customers("{email: mail}")).sources.customers.mapping == {
        "customer_id": "customer_id",
        "email": "mail",
    }


def test_without_columns_nothing_is_mapped(loading):
    source = loading().sources.customers
    assert (source.mapping, source.hashed, source.attributes) == (None, frozenset(), ())


@pytest.mark.parametrize("name", ["emial", "e_mail", "email2", "phones", "birthdate"])
def test_an_attribute_that_looks_like_a_contact_field_is_refused(loading, name):
    (fault,) = loading.faults(_customers(f"{{{name}: x}}"))
    assert f"{name} is too close to our name" in fault


def test_an_unknown_event_column_is_refused_with_the_nearest(loading):
    (fault,) = loading.faults(
        "sources: {customers: {path: a}, events: {path: b, columns: {valuee: amount}}}"
    )
    assert fault.startswith("sources.events.columns: valuee is none of our names; did you mean value?")


def test_only_contact_fields_can_be_hashed(loading):
    (fault,) = loading.faults(_customers("{points: {column: p, hashed: true}}"))
    assert "points cannot be hashed" in fault


def test_consent_records_must_name_somebody(loading):
    (fault,) = loading.faults("sources: {customers: {path: a}, consent: {path: b, columns: {status: s}}}")
    assert "whose consent" in fault


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("{}", "either path, or url and query"),
        ('{path: a, url: "postgresql://h/d", query: q}', "either path, or url and query"),
        ('{url: "postgresql://h/d"}', "url and query come together"),
        ("{path: a, query: q}", "url and query come together"),
    ],
)
def test_a_table_comes_from_one_place(loading, table, told):
    (fault,) = loading.faults(f"sources: {{customers: {table}}}")
    assert told in fault


def test_a_database_of_theirs_may_be_a_relative_file(loading, tmp_path):
    source = loading('sources: {customers: {url: "sqlite:///shop.db", query: q}}').sources.customers
    assert source.url.get_secret_value() == f"sqlite:///{tmp_path}/shop.db"


def test_only_tables_that_are_set_are_listed(loading):
    assert list(loading("sources: {customers: {path: a}, consent: {path: c}}").sources.tables()) == [
        "customers",
        "consent",
    ]
