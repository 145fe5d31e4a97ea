"""A key of each person in the removal log, and what is left of the log when it is erased."""

import pytest
from ledger_world import GOOGLE, META, World, digest, on_sqlite, people

from cohortd.core.consenting import SubjectKind
from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import Family

ANN, BOB = people("ann", "bob")


def ref_of(world: World, name: str = "ann") -> str:
    [person] = people(name)
    return world.ledger.removals.subject_ref(SubjectKind.CUSTOMER, person.key)


def gone(world: World) -> None:
    """Two people who were taken back, everywhere."""
    world.sync({GOOGLE: [ANN, BOB], META: [ANN]})
    world.revoke(ANN)
    world.revoke(BOB)
    world.drain()


def test_a_name_in_the_log_is_made_with_the_persons_own_key(world: World) -> None:
    name = world.revoke(ANN).subject

    assert name != ref_of(world)
    assert len(name) == 32
    assert {entry.subject for entry in world.ledger.removals.entries()} == {name}
    assert world.ledger.removals.names_of([ref_of(world), "nobody"]) == {
        ref_of(world): name,
        "nobody": "nobody",
    }


def test_entries_are_found_by_the_reference_and_by_the_name(world: World) -> None:
    gone(world)
    name = world.ledger.removals.names_of([ref_of(world)])[ref_of(world)]
    by_ref = list(world.ledger.removals.entries(ref_of(world)))

    assert len(by_ref) > 3
    assert by_ref == list(world.ledger.removals.entries(name))
    assert len(world.ledger.removals.timings(subject=ref_of(world))) == 2


def test_the_words_of_a_record_are_sealed_encrypted_and_told_in_plain(world: World) -> None:
    gone(world)
    sealed = list(world.ledger.removals.entries())
    told = list(world.ledger.removals.told())

    assert all(entry.source.startswith("A256GCM:") for entry in sealed)
    assert len({entry.source for entry in sealed}) == len(sealed)
    assert {entry.source for entry in told} == {"test"}
    assert [entry.hash for entry in told] == [entry.hash for entry in sealed]


def test_whoever_is_forgotten_stands_in_the_log_as_nobody(world: World) -> None:
    gone(world)
    before = list(world.ledger.removals.entries())
    erased = world.ledger.removals.forget([ref_of(world), "nobody"])
    told = list(world.ledger.removals.told())

    assert erased == 1
    assert list(world.ledger.removals.entries()) == before
    assert list(world.ledger.removals.entries(ref_of(world))) == []
    assert {entry.source for entry in told} == {"forgotten", "test"}
    assert len(list(world.ledger.removals.told(ref_of(world, "bob")))) > 2
    assert world.ledger.removals.forget([ref_of(world)]) == 0


def test_whoever_is_forgotten_and_revokes_again_gets_another_name(world: World) -> None:
    gone(world)
    first = world.ledger.removals.names_of([ref_of(world)])[ref_of(world)]
    assert world.ledger.removals.forget([first]) == 1
    world.wait(hours=1)
    again = world.revoke(ANN).subject

    assert again not in {first, ref_of(world)}
    assert [entry.event for entry in world.ledger.removals.entries(ref_of(world))] == ["recorded"]


def test_nobody_is_forgotten_while_a_removal_is_under_way(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    with pytest.raises(LedgerError, match="under way"):
        world.ledger.removals.forget([ref_of(world)])
    world.drain()

    assert world.ledger.removals.forget([ref_of(world)]) == 1


def test_a_denial_is_logged_once_whatever_it_is_called(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke_email("ann@x")
    world.revoke_email("ann@x")
    refs = [world.ledger.removals.subject_ref(SubjectKind.EMAIL, digest("ann@x"))]

    events = [entry.event for entry in world.ledger.removals.entries(refs[0])]
    assert events.count("recorded") == 1
    assert world.ledger.consent.suppressed(Family.GOOGLE)


@on_sqlite
def test_an_erased_key_is_not_left_in_the_file(world: World) -> None:
    gone(world)
    with world.ledger._database.read() as connection:
        keys = {
            row.ref: row.key for row in connection.exec_driver_sql("SELECT ref, key FROM removal_subject")
        }
    world.ledger.removals.forget([ref_of(world)])
    world.ledger.close()
    written = (world.folder / "ledger.db").read_bytes()

    assert keys[ref_of(world, "bob")] in written
    assert keys[ref_of(world)] not in written
