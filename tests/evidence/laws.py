"""The laws as they are checked when all is quiet, and of the log at any time."""

from cohortd.core.consenting import SubjectKind
from cohortd.ledger import Ledger
from consent import verify, verify_witnesses
from tests.evidence.business import FLOOR, Business

#: An add whose answer was lost is sent again and ends in the first round; a day later, in the second one,
#: nothing of it can land any more. Refused removals come again within a day, too.
ROUNDS = 2
POLLS = 6


def check_log(ledger: Ledger, public_key: str) -> None:
    """Law 7: the removal log is whole, signed, and holds every head that was kept of it."""
    entries = list(ledger.removals.entries())
    finding = verify(entries, head=ledger.removals.head(), public_keys=[public_key])
    assert finding is None, f"law 7: {finding}"
    kept = verify_witnesses(entries, ledger.removals.witnesses(), public_keys=[public_key])
    assert kept is None, f"law 7: {kept}"


def settle_down(business: Business) -> None:
    """Let nothing more go wrong, and time go by, with syncs as the daemon makes them."""
    for platform in business.platforms.values():
        platform.verdicts.clear()
    for _ in range(ROUNDS):
        business.after(hours=25)
        business.sync()
        for _ in range(POLLS):
            if not business.ledger.outbox.open_batches():
                break
            business.after(hours=1)
            with business.delivery() as delivery:
                delivery.poll()
                delivery.drain()


def check_all(business: Business) -> None:
    """Hold every law to what is there when all is quiet."""
    assert business.ledger.outbox.open_batches() == [], "law 4: something is still open"
    business.check_superset()
    check_log(business.ledger, business.sealer.public_key)
    _check_members(business)
    _check_removals(business)
    _check_no_work(business)


def state_of(business: Business) -> dict[str, list[str]]:
    """Say who is where, on the platforms and in the ledger, in a form that can be compared.

    Whether a row may be there that a platform refuses depends on how often it was asked.
    """
    found = {}
    for target in business.targets():
        for side, members in (("on", business.on_platform(target)), ("in", business.in_ledger(target))):
            name = f"{side} {target.audience} {target.destination}"
            sound = members - business.carried["bad"]
            found[name] = sorted(f"{kind}:{value.hex()[:8]}" for kind, value in sound)
    return found


def _check_members(business: Business) -> None:
    """Laws 2, 4 and 6: exactly who is desired and allowed is there; below the floor nobody else."""
    taken_back = business.taken_back()
    for target in business.targets():
        on, known = business.on_platform(target), business.in_ledger(target)
        expected = business.expected(target.audience)
        assert not on & taken_back, f"law 2: {target} holds somebody who took consent back"
        if 0 < business.deltas[target].eligible < FLOOR:
            assert on <= expected, f"law 4: {target} holds somebody who is not desired"
            continue
        assert on == expected, f"law 4: {target} is not what was desired"
        # Of a row that was refused after halving, the ledger keeps in mind that it may be there.
        assert known - on <= business.carried["bad"], f"law 4: {target} and the ledger differ"


def _check_removals(business: Business) -> None:
    """Law 2: every removal was confirmed, of those whom no newer grant brought back."""
    removals = business.ledger.removals
    refs = {
        removals.subject_ref(SubjectKind.CUSTOMER, (("", business.people[name].key),)): at
        for name, at in business.revoked.items()
    }
    names = removals.names_of(refs)
    since = {names[ref]: at for ref, at in refs.items()}
    late = [
        each
        for each in removals.timings()
        if each.confirmed_at is None and each.event_time >= since.get(each.subject, business.now)
    ]
    assert late == [], "law 2: a removal was never confirmed"


def _check_no_work(business: Business) -> None:
    """Law 8: the same input makes no work."""
    calls = {name: each.calls for name, each in business.platforms.items()}
    business.sync()
    moved = {t: d for t, d in business.deltas.items() if d.adds or d.removes}
    assert moved == {} or all(d.eligible < FLOOR and not d.removes for d in moved.values()), "law 8: work"
    after = {name: each.calls for name, each in business.platforms.items()}
    assert after == calls, "law 8: an unchanged plan called a platform"
