"""What an emulated platform remembers is the same people, in memory and on disk."""

import json
from pathlib import Path

import pytest

from cohortd.emulators.state import Row, Store


def row(*identifiers: str) -> Row:
    return frozenset(identifiers)


ANN, BOB = row("email:ann", "phone:1"), row("email:bob", "phone:2")


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(tmp_path / "meta" if request.param == "folder" else None, first_id=100)


def test_ids_are_given_in_order_and_never_again(store: Store) -> None:
    first, second = store.create("a", name="x"), store.create("a", name="x")
    assert (first.id, second.id) == ("100", "101")
    assert store.delete("101")
    assert not store.delete("101")
    assert store.create("a", name="x").id == "102"


def test_accounts_see_their_own_audiences(store: Store) -> None:
    store.create("a", name="x")
    store.create("b", name="y")
    assert [audience.name for audience in store.audiences("b")] == ["y"]
    assert len(store.audiences()) == 2


def test_adding_and_removing_are_set_operations(store: Store) -> None:
    store.create("a", name="x")
    for _ in range(2):
        store.add("100", [ANN, BOB])
    assert (store.members("100"), store.size("100")) == (ANN | BOB, 2)
    for _ in range(2):
        store.remove("100", [ANN])
    assert (store.members("100"), store.size("100")) == (BOB, 1)


def test_rows_that_share_an_identifier_are_one_person(store: Store) -> None:
    store.create("a", name="x")
    store.add("100", [row("email:a", "phone:1"), row("email:b", "phone:2"), row("email:a", "phone:2")])
    assert store.size("100") == 1
    assert store.members("100") == {"email:a", "email:b", "phone:1", "phone:2"}


def test_a_removal_takes_the_named_identifiers_and_leaves_the_others(store: Store) -> None:
    store.create("a", name="x")
    store.add("100", [ANN])
    store.remove("100", [row("email:ann", "email:stranger")])
    assert store.members("100") == {"phone:1"}


def test_a_removal_of_whole_people_takes_the_unnamed_identifiers_too(store: Store) -> None:
    store.create("a", name="x")
    store.add("100", [ANN, BOB])
    store.remove("100", [row("email:ann")], whole_people=True)
    assert store.members("100") == BOB


def test_a_row_without_identifiers_is_nobody(store: Store) -> None:
    store.create("a", name="x")
    store.add("100", [row()])
    assert store.size("100") == 0


def test_an_unknown_audience_is_empty_to_read_and_an_error_to_change(store: Store) -> None:
    assert store.members("7") == frozenset()
    assert store.get("7") is None
    with pytest.raises(KeyError):
        store.add("7", [ANN])


def reopened(folder: Path) -> Store:
    return Store(folder, first_id=100)


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    store = reopened(tmp_path)
    store.create("a", name="x", attributes={"description": "d"})
    store.create("a", name="gone")
    store.delete("101")
    store.add("100", [ANN, BOB])
    store.remove("100", [BOB])
    store.update("100", name="y", attributes={"closed": True})
    store.keep("jobs", {"1": "done"})
    for _ in range(2):
        store = reopened(tmp_path)
        [audience] = store.audiences()
        assert (audience.id, audience.account, audience.name) == ("100", "a", "y")
        assert audience.attributes == {"description": "d", "closed": True}
        assert store.members("100") == ANN
        assert store.kept("jobs") == {"1": "done"}
    assert store.create("a", name="z").id == "102"


def test_a_torn_last_line_is_as_if_it_had_never_been_sent(tmp_path: Path) -> None:
    store = reopened(tmp_path)
    store.create("a", name="x")
    store.add("100", [ANN])
    file = tmp_path / "audience-100.jsonl"
    whole = file.read_text()
    line = json.dumps({"op": "add", "rows": [sorted(BOB)]}) + "\n"
    for length in range(len(line)):
        file.write_text(whole + line[:length])
        assert reopened(tmp_path).members("100") == ANN
        file.write_text(whole)


def test_an_audience_torn_at_its_birth_was_never_made(tmp_path: Path) -> None:
    store = reopened(tmp_path)
    store.create("a", name="x")
    (tmp_path / "audience-100.jsonl").write_text('{"op": "crea')
    assert reopened(tmp_path).audiences() == []
    assert reopened(tmp_path).create("a", name="y").id == "101"


def test_changes_after_a_torn_line_are_kept(tmp_path: Path) -> None:
    store = reopened(tmp_path)
    store.create("a", name="x")
    with (tmp_path / "audience-100.jsonl").open("a") as file:
        file.write('{"op": "add", "ro')
    store = reopened(tmp_path)
    store.add("100", [BOB])
    assert reopened(tmp_path).members("100") == BOB


def test_identifiers_expire_by_when_they_were_last_added_and_others_never(tmp_path: Path) -> None:
    store = Store(tmp_path / "google", first_id=100)
    store.create("a", name="x")
    store.add("100", [ANN, BOB], at="2026-01-01")
    store.add("100", [row("email:bob")], at="2026-02-01")
    store.add("100", [row("email:undated")])
    again = Store(tmp_path / "google", first_id=100)
    for each in (store, again):
        each.expire("100", before="2026-01-01")
        assert each.members("100") == ANN | BOB | {"email:undated"}
        each.expire("100", before="2026-01-15")
        each.expire("100", before="2026-01-16")

        assert each.members("100") == {"email:bob", "email:undated"}
