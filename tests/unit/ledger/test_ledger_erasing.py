from ledger_world import GOOGLE, META, NOW, Person, World, digest, everybody, people, revocation

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.identifiers import Family
from cohortd.ledger import Erasure, Withdrawn

ANN, BOB = people("ann", "bob")
ASKED = NOW.replace(hour=13)


def ask(world: World, record: ConsentRecord | None = None, *, erasure_id: str = "e1") -> Erasure:
    asked = Withdrawn(record or revocation(ANN, at=ASKED), tuple(Family))
    world.ledger.erasures.withdraw(asked, erasure_id=erasure_id, now=world.now)
    found = world.ledger.erasures.get(erasure_id)
    assert found is not None
    return found


def by_email(email: str) -> ConsentRecord:
    subject = tuple((family.value, digest(email)) for family in Family)
    return ConsentRecord(SubjectKind.EMAIL, subject, ConsentStatus.REVOKED, ASKED)


def finish(world: World, erasure: Erasure) -> dict[str, int]:
    person = world.ledger.erasures.person(erasure)
    return dict(world.ledger.erasures.finish(erasure, person, files={}, now=world.now))


def test_an_erasure_waits_until_every_platform_confirmed(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB], META: [ANN]})
    erasure = ask(world)
    before = world.ledger.erasures.waiting(erasure)
    claimed = world.must_claim()
    world.send(claimed)
    world.accept(claimed)
    between = world.ledger.erasures.recipients(erasure)
    world.settle(claimed)
    world.drain()

    assert before > 0
    assert [(one.destination, one.state) for one in between] == [("google", "there"), ("meta", "there")]
    assert world.ledger.erasures.waiting(erasure) == 0
    after = world.ledger.erasures.recipients(erasure)
    assert [(one.destination, one.account, one.state) for one in after] == [
        ("google", "1", "removed"),
        ("meta", "1", "removed"),
    ]
    assert all(one.removed_at and one.first_sent_at for one in after)


def test_what_was_sent_of_a_person_goes_and_what_keeps_them_out_stays(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    erasure = ask(world)
    world.drain()
    erased = finish(world, erasure)
    world.sync({GOOGLE: [ANN, BOB]})

    assert erased == {"history": 2}
    assert world.ledger.members.history_of(ANN.key) == []
    assert world.on_platform(GOOGLE) == everybody(BOB)
    assert ANN.key in world.ledger.consent.suppressed(Family.GOOGLE).members
    kept = world.ledger.erasures.get("e1")
    assert kept is not None
    assert (kept.finished_at, [one.destination for one in kept.recipients]) == (world.now, ["google"])
    assert kept.withdrawal == 0
    assert {entry.trigger for entry in world.ledger.removals.entries()} == {"erasure"}


def test_finishing_again_after_a_crash_changes_nothing(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    erasure = ask(world)
    world.restart()
    world.drain()
    person = world.ledger.erasures.person(erasure)
    world.restart()
    finish(world, erasure)
    first = world.ledger.erasures.get("e1")
    world.wait(days=1)
    world.ledger.erasures.finish(erasure, person, files={}, now=world.now)

    assert first is not None
    assert world.ledger.erasures.get("e1") == first
    assert world.ledger.erasures.unfinished() == []


def test_grants_go_and_withdrawals_stay_without_their_evidence(world: World) -> None:
    grant = ConsentRecord(SubjectKind.CUSTOMER, (("", ANN.key),), ConsentStatus.GRANTED, NOW)
    other = ConsentRecord(SubjectKind.CUSTOMER, (("", BOB.key),), ConsentStatus.GRANTED, NOW)
    earlier = ConsentRecord(
        SubjectKind.CUSTOMER, (("", ANN.key),), ConsentStatus.REVOKED, NOW, evidence="ab" * 32
    )
    world.ledger.consent.record([grant, other], received_at=NOW)
    world.ledger.consent.withdraw(earlier, families=list(Family), trigger="revoked", now=NOW)
    erased = finish(world, ask(world))
    of_ann = world.ledger.consent.records_for([(SubjectKind.CUSTOMER, ANN.key)])

    assert erased["grants"] == 1
    assert [(each.status, each.evidence) for each in of_ann] == [(ConsentStatus.REVOKED, "")] * 2
    assert world.ledger.consent.records_for([(SubjectKind.CUSTOMER, BOB.key)]) == [other]


def test_an_address_that_two_people_carry_is_erased_alone(world: World) -> None:
    cat, dan = Person("cat", email="home@x"), Person("dan", email="home@x")
    world.sync({GOOGLE: [cat]})
    world.sync({GOOGLE: [dan]})
    erasure = ask(world, by_email("home@x"))
    world.drain()
    finish(world, erasure)
    left = [*world.ledger.members.history_of(cat.key), *world.ledger.members.history_of(dan.key)]

    assert world.ledger.erasures.person(erasure).members == ()
    assert {row.digest for row in left} == {digest("+cat"), digest("+dan")}


def test_a_person_is_erased_by_an_address_that_is_theirs_alone(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    erasure = ask(world, by_email("ann@x"))
    world.drain()
    person = world.ledger.erasures.person(erasure)
    finish(world, erasure)

    assert person.members == (ANN.key,)
    assert {(kind, value) for _, kind, value in person.contacts} == ANN.identifiers()
    assert world.ledger.members.history_of(ANN.key) == []
    assert world.on_platform(GOOGLE) == everybody(BOB)


def test_who_consents_anew_meanwhile_is_sent_and_the_erasure_still_ends(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    erasure = ask(world)
    world.drain()
    world.wait(days=2)
    world.grant()
    world.sync({GOOGLE: [ANN]})
    waiting = world.ledger.erasures.waiting(erasure)
    erased = finish(world, erasure)

    assert (waiting, erased) == (0, {"history": 2})
    assert world.on_platform(GOOGLE) == everybody(ANN)
    world.check_superset()
