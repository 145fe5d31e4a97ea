"""Law 2: a revocation always gets out, from everywhere, and stays out until a newer grant."""

from collections.abc import Callable
from pathlib import Path

import pytest
from shop import DESTINATIONS, Answer, Shop, grant, open_shop, write_csv
from wire import of_google, of_meta, sha256

from cohortd import bootstrap
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.pipeline.intake import take_in

EVERYWHERE = set(DESTINATIONS)
WHO = "c00041"
REVOKED_AT, LATER = "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"


def _everybody_but(shop: Shop, *customers: str) -> set[str]:
    others = shop.customers.keys() - set(customers)
    return set().union(*(shop.expected(others, name) for name in DESTINATIONS))


def _in_table(shop: Shop, **row: str) -> None:
    shop.consent.append({"status": "revoked", "recorded_at": REVOKED_AT, **row})
    shop.write()


def _import(shop: Shop, **row: str) -> Answer:
    file = shop.folder / "handed-over.csv"
    write_csv(file, [{**row, "status": "revoked", "recorded_at": REVOKED_AT}])
    return shop.call("consent", "import", str(file), "--json")


#: How a person can take consent back.
WAYS: dict[str, Callable[[Shop, dict[str, str]], Answer]] = {
    "revoke --customer": lambda shop, row: shop.call("revoke", "--customer", row["customer_id"], "--json"),
    "revoke --email": lambda shop, row: shop.call("revoke", "--email", row["email"].upper(), "--json"),
    "revoke --phone": lambda shop, row: shop.call("revoke", "--phone", row["phone"][2:], "--json"),
    "import by customer": lambda shop, row: _import(shop, customer_id=row["customer_id"]),
    "import by e-mail": lambda shop, row: _import(shop, email=row["email"]),
    "import by phone": lambda shop, row: _import(shop, phone=row["phone"]),
}
TABLE_WAYS = ("customer_id", "email", "phone")


@pytest.mark.parametrize("way", WAYS)
def test_a_person_who_revokes_is_gone_everywhere_at_once_and_not_sent_again(synced: Shop, way: str) -> None:
    answer = WAYS[way](synced, synced.customers[WHO])
    gone = synced.everything_held()
    again = synced.sync()

    assert answer.code == 0, answer.out + answer.err
    assert gone == _everybody_but(synced, WHO)
    assert again.code == 0, again.out + again.err
    assert synced.everything_held() == _everybody_but(synced, WHO)
    assert synced.unknown_to_ledger() == {}


@pytest.mark.parametrize("field", TABLE_WAYS)
def test_a_revocation_in_the_consent_table_gets_out_by_the_next_sync(synced: Shop, field: str) -> None:
    _in_table(synced, **{field: synced.customers[WHO][field]})
    answers = [synced.sync(), synced.sync()]

    assert [a.code for a in answers] == [0, 0], answers
    assert synced.everything_held() == _everybody_but(synced, WHO)


def test_a_revocation_for_one_platform_leaves_the_others(synced: Shop) -> None:
    _in_table(synced, customer_id=WHO, platform="meta")
    answers = [synced.sync(), synced.sync()]

    assert [a.code for a in answers] == [0, 0], answers
    assert synced.destinations_of(WHO) == {"google", "ads"}


def _shrink(shop: Shop) -> None:
    kept = list(shop.customers.values())[:200]
    write_csv(shop.folder / "customers.csv", kept)


def _lose_consent(shop: Shop) -> None:
    shop.consent = [
        row for row in shop.consent if row["status"] == "revoked" or row["customer_id"] > "c00240"
    ]
    shop.write()


def _many_bad_rows(shop: Shop) -> None:
    events = [{**row, "occurred_at": "whenever"} for row in shop.events[:3000]]
    write_csv(shop.folder / "events.csv", [*events, *shop.events[3000:]])


def _no_usable_value(shop: Shop) -> None:
    write_csv(
        shop.folder / "events.csv", [{k: r[k] for k in ("customer_id", "occurred_at")} for r in shop.events]
    )


def _nobody_known(shop: Shop) -> None:
    shop.change(guards={"bad_rows": 1.0})
    write_csv(
        shop.folder / "events.csv", [{**row, "customer_id": f"x{n}"} for n, row in enumerate(shop.events)]
    )


#: What else can be wrong when somebody revokes, and how the sync then ends.
TROUBLES: dict[str, tuple[Callable[[Shop], object], int]] = {
    "a shrunken source stops the sync": (_shrink, 3),
    "too many leavers stop the sync": (_lose_consent, 3),
    "bad rows stop the sync": (_many_bad_rows, 3),
    "the customers file is missing": (lambda s: (s.folder / "customers.csv").unlink(), 2),
    "the customers file is empty": (lambda s: (s.folder / "customers.csv").write_text(""), None),
    "the events file is missing": (lambda s: (s.folder / "events.csv").unlink(), 2),
    "the events are no text": (
        lambda s: (s.folder / "events.csv").write_bytes(b"\xff\xfe\x00\x81" * 99),
        None,
    ),
    "the features' columns are gone": (_no_usable_value, None),
    "no event is of a customer we know": (_nobody_known, None),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_revocation_gets_out_although(synced: Shop, trouble: str) -> None:
    bring_about, code = TROUBLES[trouble]
    synced.change(segmentation={"features": ["value_sum", "order_value_mean"], "k": 4})
    _in_table(synced, customer_id=WHO)
    bring_about(synced)
    answer = synced.sync()

    assert answer.code == code if code is not None else answer.code in (1, 2, 3), answer.out + answer.err
    assert synced.everything_held() == _everybody_but(synced, WHO)


@pytest.mark.parametrize("trouble", ["a shrunken source stops the sync", "bad rows stop the sync"])
def test_a_sync_that_a_guard_stopped_waits_for_its_removals_when_asked_to(
    tmp_path: Path, trouble: str
) -> None:
    bring_about, code = TROUBLES[trouble]
    with open_shop(tmp_path / "shop", delay_s=0.5) as shop:
        assert shop.sync().code == 0
        _in_table(shop, customer_id=WHO)
        bring_about(shop)
        answer = shop.sync()
        removals = shop.query("SELECT state FROM batch WHERE lane = 'revocation'")

        assert answer.code == code, answer.out + answer.err
        assert removals == [("confirmed",)] * 3
        assert shop.everything_held() == _everybody_but(shop, WHO)


def test_a_revocation_gets_out_of_an_audience_below_its_minimum(tmp_path: Path) -> None:
    audiences = {"minimum_size": 118, "minimum_share": 0.0}
    with open_shop(tmp_path / "shop", audiences=audiences) as shop:
        shop.sync()
        few = [customer for customer in shop.customers if int(customer[1:]) % 4 == 1][:5]
        for customer in few:
            _in_table(shop, customer_id=customer)
        answer = shop.sync()

        assert answer.code == 0, answer.out + answer.err
        assert any("118 needed" in str(a["held"]) for a in answer.json["audiences"])
        assert shop.everything_held() == _everybody_but(shop, *few)


def test_a_revocation_takes_back_what_was_sent_and_not_what_the_source_says_now(synced: Shop) -> None:
    erased, changed = WHO, "c00042"
    before = {
        c: set().union(*(synced.known_of(c, name) for name in DESTINATIONS)) for c in (erased, changed)
    }
    del synced.customers[erased]
    synced.customers[changed]["email"] = "canary.other@example.com"
    synced.write()
    answers = [synced.call("revoke", "--customer", customer, "--json") for customer in before]

    assert [(a.code, a.json["audiences"]) for a in answers] == [(0, 3)] * 2
    assert synced.everything_held() & set().union(*before.values()) == set()


def test_a_revocation_gets_out_while_the_add_is_still_being_processed(tmp_path: Path) -> None:
    with open_shop(tmp_path / "shop", delay_s=2.0) as shop:
        sent = shop.call("sync", "--json")
        revoked = shop.call("revoke", "--customer", WHO, "--json")
        shop.sync()

        assert any(a["pending"] for a in sent.json["audiences"])
        assert revoked.json["audiences"] == 3, revoked.out
        assert shop.everything_held() == _everybody_but(shop, WHO)


def test_a_revocation_takes_back_an_add_whose_answer_was_lost(shop: Shop) -> None:
    for stand_in, call in ((shop.google, "dm.audience_members.ingest"), (shop.meta, "users.add")):
        stand_in.faults.add(Fault(call=call, kind=FaultKind.DROP_AFTER, times=None))
    shop.call("sync", "--json")
    who = next(c for c in shop.customers if {"google", "meta"} <= shop.destinations_of(c))
    shop.google.faults.clear()
    shop.meta.faults.clear()
    revoked = shop.call("revoke", "--customer", who, "--json")
    gone = shop.destinations_of(who)
    shop.sync_until_done()

    assert (revoked.code, revoked.json["audiences"]) == (0, 3), revoked.out
    assert gone == set()
    assert shop.everything_held() == _everybody_but(shop, who)


def test_a_platform_that_does_not_answer_only_delays_a_revocation(synced: Shop) -> None:
    synced.google.faults.add(Fault(call="*", kind=FaultKind.TOKEN_EXPIRED, times=None))
    synced.meta.faults.add(Fault(call="*", kind=FaultKind.ERROR, status=503, times=None))
    revoked = synced.call("revoke", "--customer", WHO, "--json")
    still_there = synced.destinations_of(WHO)
    synced.google.faults.clear()
    synced.meta.faults.clear()
    answer = synced.sync_until_done()

    assert (revoked.code, still_there) == (1, EVERYWHERE), revoked.out
    assert revoked.json["open"] == 3
    assert answer.code == 0
    assert synced.everything_held() == _everybody_but(synced, WHO)


def test_only_a_newer_grant_of_the_same_subject_brings_a_person_back(synced: Shop) -> None:
    email, seen = synced.customers[WHO]["email"], []
    synced.consent.append(grant(WHO, REVOKED_AT, "revoked"))
    synced.consent.append({"email": email, "status": "revoked", "recorded_at": REVOKED_AT})
    for newer in (
        grant(WHO, REVOKED_AT),
        {"email": email, "status": "granted", "recorded_at": REVOKED_AT},
        grant(WHO, "2026-01-31T23:59:59Z"),
        grant("c00043", LATER),
        grant(WHO, LATER, purpose="newsletter"),
        {"email": email, "status": "granted", "recorded_at": LATER, "purpose": "advertising"},
        grant(WHO, LATER),
    ):
        synced.consent.append(newer)
        synced.write()
        assert synced.sync().code == 0
        seen.append(synced.destinations_of(WHO))

    assert seen == [set()] * 6 + [EVERYWHERE]
    assert synced.everything_held() == _everybody_but(synced)


def test_a_person_who_revoked_by_command_comes_back_with_a_newer_grant(synced: Shop) -> None:
    synced.call("revoke", "--email", synced.customers[WHO]["email"])
    row = {"email": synced.customers[WHO]["email"], "status": "granted", "purpose": "advertising"}
    synced.consent.append({**row, "recorded_at": "2090-01-01T00:00:00Z"})
    synced.write()
    too_early = synced.sync()
    away = synced.destinations_of(WHO)
    back = synced.sync("--as-of", "2090-01-02T00:00:00Z")

    assert (too_early.code, back.code) == (0, 0), too_early.out + back.out
    assert away == set()
    assert synced.destinations_of(WHO) == EVERYWHERE


@pytest.mark.parametrize("when", [False, True], ids=["after both were sent", "before anything was sent"])
def test_where_two_share_an_identifier_the_revocation_wins_for_it_and_the_other_keeps_the_rest(
    shop: Shop, when: str
) -> None:
    other, phone = "c00045", shop.customers[WHO]["phone"]
    shop.customers[other]["phone"] = phone
    shop.write()
    if when == "after both were sent":
        assert shop.sync().code == 0
    revoked = shop.call("revoke", "--customer", WHO)
    answers = [shop.sync(), shop.sync()]
    of_other = {**shop.customers[other], "phone": ""}

    assert revoked.code == 0, revoked.out
    assert [a.code for a in answers] == [0, 0], answers
    assert {f"phone:{sha256(phone)}", f"phone:{sha256(phone[1:])}"} & shop.everything_held() == set()
    assert shop.on("google") & shop.known_of(other, "google") == of_google(of_other)
    assert shop.on("ads") & shop.known_of(other, "ads") == of_google(of_other)
    assert shop.on("meta") & shop.known_of(other, "meta") == of_meta(of_other)
    assert shop.destinations_of("c00043") == EVERYWHERE


def test_a_daemon_takes_in_what_the_table_says_anew_and_nothing_twice(shop: Shop) -> None:
    shop.sync()
    shop.consent.append(grant("c00001", at="2026-02-01T00:00:00Z", status="revoked"))
    shop.write()
    settings = bootstrap.load_settings(str(shop.config))
    with bootstrap.open_pipeline(settings) as pipeline:
        looks = [take_in(pipeline, as_of=pipeline.clock()).withdrawn for _ in range(2)]
        shop.consent.append(grant("c00002", at="2026-02-01T00:00:00Z", status="revoked"))
        shop.write()
        looks.append(take_in(pipeline, as_of=pipeline.clock()).withdrawn)

    assert looks == [1, 0, 1]
    shop.sync()
    assert [shop.destinations_of(customer) for customer in ("c00001", "c00002")] == [set(), set()]
