"""Laws 1, 2, 4 and 8 where consent changes at awkward moments, or what a person carries does."""

from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from shop import DESTINATIONS, Shop, add_customer, grant, open_shop, write_csv

from cohortd.pipeline import syncing

EVERYWHERE = set(DESTINATIONS)
WHO, OTHER = "c00041", "c00046"
NO_AT, YES_AT = "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"


def _emails(shop: Shop, customer: str) -> set[str]:
    known = set().union(*(shop.known_of(customer, name) for name in DESTINATIONS))
    return {identifier for identifier in known if identifier.startswith("email")}


def _silence(shop: Shop, *customers: str) -> None:
    shop.consent = [row for row in shop.consent if row["customer_id"] not in customers]


def _share_email(shop: Shop, customer: str = WHO) -> None:
    shop.customers[customer]["email"] = shop.customers[OTHER]["email"]
    shop.write()


def _entries(shop: Shop) -> int:
    return shop.query("SELECT count(*) FROM removal_log")[0][0]


@pytest.mark.parametrize("carries", ["nothing of others", "what another is sent by"])
def test_a_denial_that_is_imported_while_a_sync_plans_keeps_its_add_from_going_out(
    shop: Shop, carries: str
) -> None:
    if carries == "what another is sent by":
        _share_email(shop)
    file = shop.folder / "late.csv"
    write_csv(file, [grant(WHO, NO_AT, "denied")])
    codes, queue = [], syncing._Run._queue

    def import_first(run: syncing._Run, *planned: object) -> None:
        codes.append(shop.call_apart("consent", "import", str(file), "--json").code)
        queue(run, *planned)  # type: ignore[arg-type]

    with patch.object(syncing._Run, "_queue", import_first):
        answer = shop.sync()

    assert (codes, answer.code) == ([0], 0), answer.out + answer.err
    assert shop.destinations_of(WHO) - shop.destinations_of(OTHER) == set()
    assert _emails(shop, WHO) & shop.everything_held() == set()
    assert shop.destinations_of("c00049") == EVERYWHERE


@pytest.mark.parametrize("status", ["revoked", "denied"])
def test_an_address_that_a_withdrawn_person_comes_to_share_is_sent_for_nobody(
    synced: Shop, status: str
) -> None:
    synced.consent.append(grant(WHO, NO_AT, status))
    synced.write()
    first = synced.sync()
    _share_email(synced)
    answers = [first, synced.sync()]
    entries = _entries(synced)
    answers.append(synced.sync())

    assert [a.code for a in answers] == [0, 0, 0], [a.out for a in answers]
    assert _emails(synced, OTHER) & synced.everything_held() == set()
    assert synced.destinations_of(OTHER) == EVERYWHERE  # by what else they carry
    assert _entries(synced) == entries


def test_who_withdrew_before_being_a_customer_takes_along_what_they_share_once_they_are(
    shop: Shop,
) -> None:
    shop.consent.append(grant("newcomer", NO_AT, "revoked"))
    shop.write()
    before = shop.sync()
    shop.customers["newcomer"] = {**shop.customers[OTHER], "customer_id": "newcomer", "phone": ""}
    shop.write()
    after = shop.sync()

    assert (before.code, after.code) == (0, 0), after.out
    assert _emails(shop, OTHER) & shop.everything_held() == set()


def test_a_shared_address_is_sent_again_when_who_withdrew_grants_again(synced: Shop) -> None:
    synced.consent.append(grant(WHO, NO_AT, "revoked"))
    _share_email(synced)
    gone = synced.sync()
    without = _emails(synced, OTHER) & synced.everything_held()
    synced.consent.append(grant(WHO, YES_AT))
    synced.write()
    back = synced.sync()

    assert (gone.code, back.code, without) == (0, 0, set()), gone.out + back.out
    assert _emails(synced, OTHER) <= synced.everything_held()


def test_a_denial_leads_to_the_same_members_whatever_was_open_when_it_came(tmp_path: Path) -> None:
    held = []
    for when in ("before anything was sent", "while adds were open"):
        with open_shop(tmp_path / when.split()[0]) as shop:
            _silence(shop, WHO)
            _share_email(shop)
            newcomers = [add_customer(shop, number) for number in (480, 484)]
            if when == "while adds were open":
                later = {c: shop.customers.pop(c) for c in newcomers}
                shop.write()
                assert shop.sync().code == 0
                shop.customers |= later
            shop.consent.append(grant(WHO, NO_AT, "denied"))
            shop.write()
            shop.call("sync", "--json")
            assert shop.sync().code == 0
            held.append(shop.held_by_name().values())

    assert {frozenset(each) for each in held[0]} == {frozenset(each) for each in held[1]}


def test_a_denial_of_somebody_never_sent_is_remembered_without_its_row(tmp_path: Path) -> None:
    with open_shop(tmp_path / "shop", consent={"default": "granted"}) as shop:
        shop.consent.append(grant(WHO, NO_AT, "denied"))
        _silence(shop, OTHER)
        shop.consent = [
            row for row in shop.consent if row["customer_id"] != WHO or row["status"] == "denied"
        ]
        shop.write()
        first, entries = shop.sync(), _entries(shop)
        denied = shop.consent.pop()
        shop.write()
        forgotten = shop.sync()
        where = shop.destinations_of(WHO)
        shop.consent.append(grant(WHO, YES_AT))
        shop.write()
        granted = shop.sync()

        assert denied["status"] == "denied"
        assert [a.code for a in (first, forgotten, granted)] == [0, 0, 0], forgotten.out
        assert entries == 0  # nothing was ever taken back
        assert where == set()
        assert shop.destinations_of(WHO) == shop.destinations_of(OTHER) == EVERYWHERE


def test_a_withdrawal_without_a_time_is_one_record_however_often_it_is_read(synced: Shop) -> None:
    synced.consent.append(grant(WHO, "", "revoked"))
    synced.consent.append({"email": synced.customers[OTHER]["email"], "status": "revoked"})
    synced.write()
    counts = []
    for days in range(4):
        synced.ahead = timedelta(days=days)
        assert synced.sync().code == 0
        counts.append((synced.query("SELECT count(*) FROM withdrawal")[0][0], _entries(synced)))

    assert counts == [counts[0]] * 4
    assert counts[0][0] == 2


def test_a_withdrawal_without_a_time_counts_from_when_it_first_came(synced: Shop) -> None:
    synced.consent.append(grant(WHO, "", "revoked"))
    synced.write()
    answers, seen = [synced.sync()], [synced.destinations_of(WHO)]
    tomorrow = datetime.now().astimezone() + timedelta(days=1)
    synced.consent += [grant(WHO, NO_AT), grant(WHO, tomorrow.isoformat())]
    synced.write()
    for days in (2, 3, 9):
        synced.ahead = timedelta(days=days)
        answers.append(synced.sync())
        seen.append(synced.destinations_of(WHO))

    assert [a.code for a in answers] == [0] * 4, [a.out for a in answers]
    assert seen == [set(), EVERYWHERE, EVERYWHERE, EVERYWHERE]


def test_a_withdrawal_without_a_time_that_went_and_came_again_counts_anew(synced: Shop) -> None:
    """As in a table that holds what each person said last."""
    no = grant(WHO, "", "revoked")
    yes = grant(WHO, (datetime.now().astimezone() + timedelta(days=1)).isoformat())
    _silence(synced, WHO)
    answers, seen = [], []
    for days, row in enumerate((no, yes, no, no)):
        synced.ahead = timedelta(days=2 * days)
        synced.consent.append(row)
        synced.write()
        answers.append(synced.sync())
        seen.append(synced.destinations_of(WHO))
        synced.consent.pop()

    assert [a.code for a in answers] == [0] * 4, [a.out for a in answers]
    assert seen == [set(), EVERYWHERE, set(), set()]
