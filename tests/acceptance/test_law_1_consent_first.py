"""Law 1: no identifier goes out in an add unless consent stands, when planned and when sent."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import DESTINATIONS, Answer, Shop, grant, open_shop, write_csv
from wire import ADDS, sha256

EVERYWHERE = set(DESTINATIONS)
LATER = "2026-02-01T00:00:00Z"
#: Whom each person below is: how they consented, and where they may be sent.
PEOPLE: dict[str, tuple[list[dict[str, str]], set[str]]] = {
    "who never said anything": ([], set()),
    "who said no": ([grant("", status="denied")], set()),
    "who took a yes back": ([grant(""), grant("", LATER, "revoked")], set()),
    "who said yes and no at the same time": ([grant(""), grant("", status="denied")], set()),
    "who said no after a yes": ([grant(""), grant("", LATER, "denied")], set()),
    "who said yes to another purpose": ([grant("", purpose="newsletter")], set()),
    "who said yes to another platform": ([grant("", platform="tiktok")], set()),
    "whose answer is no word we know": ([grant("", status="perhaps")], set()),
    "whose yes has no readable time": ([grant("", "last summer")], set()),
    "whose no has no readable time": ([grant(""), grant("", "last summer", "denied")], set()),
    "who says yes next year": ([grant("", "2090-01-01T00:00:00Z")], set()),
    "who takes a yes back next year": ([grant(""), grant("", "2090-01-01T00:00:00Z", "revoked")], set()),
    "who said yes to Google alone": ([grant("", platform="google")], {"google", "ads"}),
    "who said yes to Meta alone": ([grant("", platform="meta")], {"meta"}),
    "who took a yes back from Meta alone": (
        [grant(""), grant("", LATER, "revoked", platform="meta")],
        {"google", "ads"},
    ),
    "who took a yes back for another purpose": (
        [grant(""), grant("", LATER, "revoked", purpose="newsletter")],
        EVERYWHERE,
    ),
    "who said yes after a no": ([grant("", status="denied"), grant("", LATER)], EVERYWHERE),
    "who said yes to everything": ([grant("", purpose="")], EVERYWHERE),
    "who said yes": ([grant("")], EVERYWHERE),
}


def _who(number: int) -> str:
    return f"c{number * 9:05d}"


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A synced shop in which the people above are customers."""
    with open_shop(tmp_path_factory.mktemp("mixed"), guards={"bad_rows": 0.2}) as shop:
        chosen = {_who(number): records for number, (records, _) in enumerate(PEOPLE.values())}
        shop.consent = [row for row in shop.consent if row["customer_id"] not in chosen]
        for customer, records in chosen.items():
            shop.consent += [{**row, "customer_id": customer} for row in records]
        shop.write()
        answer = shop.sync()
        assert answer.code == 0, answer.out + answer.err
        yield shop


@pytest.mark.parametrize("person", PEOPLE)
def test_a_person_is_sent_only_where_their_consent_stands(mixed: Shop, person: str) -> None:
    customer = _who(list(PEOPLE).index(person))

    assert mixed.destinations_of(customer) == PEOPLE[person][1]


def test_everybody_who_consented_is_sent_with_exactly_what_the_rules_make_of_them(mixed: Shop) -> None:
    wrong = {}
    for name in DESTINATIONS:
        left_out = {_who(number) for number, (_, where) in enumerate(PEOPLE.values()) if name not in where}
        wrong[name] = mixed.on(name) ^ mixed.expected(mixed.customers.keys() - left_out, name)

    assert wrong == {name: set() for name in DESTINATIONS}


def test_nobody_without_consent_was_in_any_add_that_reached_a_platform(mixed: Shop) -> None:
    said = mixed.wire.texts(*ADDS, "ads.jobs.add")
    silent = [_who(number) for number, (_, where) in enumerate(PEOPLE.values()) if not where]

    assert [c for c in silent if sha256(mixed.customers[c]["email"]) in said] == []


def test_a_grant_after_as_of_is_not_seen_and_a_revocation_after_it_is(shop: Shop) -> None:
    shop.consent = [row for row in shop.consent if row["customer_id"] not in ("c00001", "c00002")]
    shop.consent += [grant("c00001", "2026-02-20T00:00:00Z"), grant("c00002")]
    shop.consent += [grant("c00002", "2026-02-20T00:00:00Z", "revoked")]
    shop.write()

    early = shop.sync("--as-of", "2026-02-10T00:00:00Z")
    where_early = [shop.destinations_of(c) for c in ("c00001", "c00002")]
    late = shop.sync("--as-of", "2026-03-02T00:00:00Z")

    assert (early.code, late.code) == (0, 0), early.out + late.out
    assert where_early == [set(), set()]
    assert [shop.destinations_of(c) for c in ("c00001", "c00002")] == [EVERYWHERE, set()]


def test_silence_means_what_the_settings_say_of_the_country(tmp_path: Path) -> None:
    silence = {"default": {"*": "denied", "US": "granted"}, "purpose": "advertising"}
    with open_shop(tmp_path / "shop", consent=silence) as shop:
        shop.consent = [grant("c00004", status="denied")]
        shop.customers["c00008"]["country"] = "DE"
        shop.customers["c00012"]["country"] = ""
        shop.write()
        answer = shop.sync()

        assert answer.code == 0, answer.out + answer.err
        assert [shop.destinations_of(c) for c in ("c00000", "c00004", "c00008", "c00012")] == [
            EVERYWHERE,
            set(),
            set(),
            set(),
        ]


def test_who_lives_nowhere_known_is_not_sent_where_one_country_says_no(tmp_path: Path) -> None:
    silence = {"default": {"*": "granted", "DE": "denied"}}
    with open_shop(tmp_path / "shop", consent=silence) as shop:
        shop.consent = [grant("c00100", status="denied")]
        shop.customers["c00004"]["country"] = ""
        shop.customers["c00008"]["country"] = "DE"
        shop.write()
        answer = shop.sync()

        assert answer.code == 0, answer.out + answer.err
        assert [shop.destinations_of(c) for c in ("c00000", "c00004", "c00008")] == [
            EVERYWHERE,
            set(),
            set(),
        ]


def _take_back(shop: Shop, how: str, customer: str) -> Answer:
    """Withdraw a person's consent in another process."""
    if how == "a denial":
        file = shop.folder / "denials.csv"
        write_csv(file, [grant(customer, LATER, "denied")])
        return shop.call_apart("consent", "import", str(file), "--json")
    row = shop.customers[customer]
    named = {"--customer": customer, "--email": row["email"], "--phone": row["phone"]}
    return shop.call_apart("revoke", how, named[how], "--json")


@pytest.mark.parametrize("how", ["--customer", "--email", "--phone", "a denial"])
def test_consent_withdrawn_between_planning_and_sending_keeps_the_add_from_going_out(
    shop: Shop, how: str
) -> None:
    """At the first upload everybody else's is planned and queued; then somebody of them withdraws.

    One upload after the other: else theirs might be on its way already.
    """
    for destination in shop.settings["destinations"]:
        destination["concurrency"] = 1
    shop.write()
    revoked: list[str] = []
    once = threading.Lock()

    def withdraw_meanwhile(name: str, text: str) -> None:
        if name not in ADDS or not once.acquire(blocking=False):
            return
        customer = next(
            c for c, row in shop.customers.items() if row["phone"] and sha256(row["email"]) not in text
        )
        answer = _take_back(shop, how, customer)
        assert answer.code == 0, answer.err
        revoked.append(customer)

    shop.wire.before = withdraw_meanwhile
    answer = shop.sync()
    [customer] = revoked
    digest = sha256(shop.customers[customer]["email"])

    assert answer.code == 0, answer.out + answer.err
    assert shop.destinations_of(customer) == set()
    assert [n for n, text in shop.wire.messages if digest in text and "remove" not in n] == []
    assert shop.everything_held() == set().union(
        *(shop.expected(shop.customers.keys() - {customer}, name) for name in DESTINATIONS)
    )
