import pytest
from ledger_world import EMAIL, FAMILIES, GOOGLE, META, World, digest, everybody, people

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import Family

(ANN,) = people("ann")


def test_a_revoked_person_is_not_added_again_until_a_strictly_newer_grant(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    world.sync({GOOGLE: [ANN]})
    [cause] = world.ledger.consent.active()
    consent = world.ledger.consent

    assert consent.lift(cause, granted_at=cause.withdrawn_at, now=world.now) == 0
    world.sync({GOOGLE: [ANN]})
    assert world.on_platform(GOOGLE) == set()
    world.wait(seconds=1)
    assert consent.lift(cause, granted_at=world.now, now=world.now) == 1
    assert consent.active() == []
    world.sync({GOOGLE: [ANN]})
    assert world.on_platform(GOOGLE) == everybody(ANN)


def test_one_withdrawal_is_lifted_and_another_of_the_same_person_stands(world: World) -> None:
    world.revoke(ANN)
    world.wait(seconds=1)
    world.revoke(ANN)
    first, second = world.ledger.consent.active()
    world.wait(seconds=1)
    world.ledger.consent.lift(first, granted_at=world.now, now=world.now)

    assert world.ledger.consent.active() == [second]
    assert world.ledger.consent.suppressed(Family.GOOGLE).members == {ANN.key}
    assert (
        world.ledger.consent.lift((SubjectKind.CUSTOMER, second.keys), granted_at=world.now, now=world.now)
        == 1
    )
    assert world.ledger.consent.suppressed(Family.GOOGLE).members == frozenset()


def test_a_withdrawal_that_is_stated_again_stands_again(world: World) -> None:
    at = world.now
    world.revoke(ANN, at=at)
    world.wait(days=1)
    world.grant()
    world.revoke(ANN, at=at)

    assert [cause.withdrawn_at for cause in world.ledger.consent.active()] == [at]
    assert world.ledger.consent.suppressed(Family.GOOGLE).members == {ANN.key}


def test_a_contact_field_is_freed_for_one_family_at_a_time(world: World) -> None:
    world.revoke_email("ann@x")
    world.wait(days=1)
    consent = world.ledger.consent
    contact = ("google", EMAIL, digest("ann@x"))

    assert consent.lift_contact(contact, granted_at=world.now.replace(year=2020), now=world.now) == 0
    assert consent.lift_contact(contact, granted_at=world.now, now=world.now) == 1
    assert consent.suppressed(Family.GOOGLE).digests == frozenset()
    assert consent.suppressed(Family.META).digests == {(EMAIL, digest("ann@x"))}
    assert len(consent.active()) == 1
    consent.lift_contact(("meta", EMAIL, digest("ann@x")), granted_at=world.now, now=world.now)
    assert consent.active() == []


@pytest.mark.parametrize("by_subject", [True, False])
def test_a_grant_for_one_family_lifts_a_withdrawal_there_alone(world: World, *, by_subject: bool) -> None:
    world.revoke(ANN, extra=True)
    world.wait(days=1)
    consent = world.ledger.consent
    [cause] = consent.active()
    asked = (cause.subject_kind, cause.keys) if by_subject else cause

    assert consent.lift(asked, granted_at=world.now, now=world.now, families=[Family.META]) == 1
    assert consent.suppressed(Family.META).digests == frozenset()
    assert consent.suppressed(Family.GOOGLE).digests == ANN.identifiers()
    assert consent.suppressed(Family.GOOGLE).members == {ANN.key}
    assert consent.active() == [cause]
    world.sync({GOOGLE: [ANN], META: [ANN]})
    assert (world.on_platform(GOOGLE), world.on_platform(META)) == (set(), everybody(ANN))
    consent.lift(asked, granted_at=world.now, now=world.now, families=[Family.GOOGLE])
    assert consent.active() == []
    assert consent.suppressed(Family.GOOGLE).members == frozenset()


def test_a_grant_withdraws_nothing(world: World) -> None:
    grant = ConsentRecord(SubjectKind.CUSTOMER, (("", ANN.key),), ConsentStatus.GRANTED, world.now)

    with pytest.raises(LedgerError, match="a grant withdraws nothing"):
        world.ledger.consent.withdraw(grant, families=list(Family), trigger="x", now=world.now)
    assert world.ledger.consent.active() == []


def test_statements_are_kept_once_by_their_content(world: World) -> None:
    consent = world.ledger.consent
    records = [
        ConsentRecord(
            SubjectKind.CUSTOMER, (("", ANN.key),), status, world.now, purpose="ads", source="file"
        )
        for status in (ConsentStatus.GRANTED, ConsentStatus.REVOKED)
    ]

    assert consent.unknown([*records, *records]) == records
    first = consent.record(records, received_at=world.now)
    again = consent.record(records, received_at=world.now)
    assert (first.new, first.known) == (records, 0)
    assert (again.new, again.known) == ([], 2)
    assert list(consent.records()) == records
    assert consent.records_for([(SubjectKind.CUSTOMER, ANN.key)]) == records
    assert consent.records_for([(SubjectKind.EMAIL, ANN.key)]) == []
    assert consent.unknown(records) == []


def test_a_record_by_contact_comes_back_whole(world: World) -> None:
    world.revoke_email("ann@x")
    [record] = world.ledger.consent.records()

    assert record.subject == tuple((family.value, digest("ann@x")) for family in FAMILIES.values())
    assert record.recorded_at == world.now
    assert world.ledger.consent.records_for([(SubjectKind.EMAIL, digest("ann@x"))]) == [record]
