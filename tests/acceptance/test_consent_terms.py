"""Terms of consent in the tables: how old, on what basis, confirmed, and where silence means what."""

from datetime import timedelta

from shop import DESTINATIONS, Shop, grant

from cohortd.core.times import format_time, now_utc

EVERYWHERE = set(DESTINATIONS)
LONG_AGO, LAST_YEAR = "2020-01-01T00:00:00Z", "2025-06-01T00:00:00Z"


def _says(shop: Shop, customer: str, *records: dict[str, str]) -> None:
    shop.consent = [row for row in shop.consent if row["customer_id"] != customer]
    shop.consent += records


def _traced(shop: Shop, customer: str) -> dict:
    return shop.call("trace", "--customer", customer, "--json").json["decisions"][0]


def test_age_basis_confirmation_and_state_decide_who_is_sent_and_trace_says_by_which_record(
    shop: Shop,
) -> None:
    opted_out = {"status": "revoked", "regulation": "CPRA"}
    _says(shop, "c00001", grant("c00001", LONG_AGO, source="shop"))
    _says(shop, "c00002", grant("c00002", LAST_YEAR, legal_basis="contract"))
    _says(shop, "c00003", grant("c00003", LAST_YEAR, **opted_out), grant("c00003"))
    again = format_time(now_utc() - timedelta(days=1))
    _says(shop, "c00004", grant("c00004", LAST_YEAR, **opted_out), grant("c00004", again, source="page"))
    confirmed = grant("c00005", again, confirmed="yes", source="mail")
    _says(shop, "c00005", grant("c00005", LAST_YEAR, **opted_out), confirmed)
    for customer, state in (("c00006", "California"), ("c00007", "ny"), ("c00008", "")):
        _says(shop, customer)
        shop.customers[customer]["state"] = state
    defaults = {"*": "denied", "US": "granted", "US-CA": "denied"}
    shop.change(consent={"default": defaults, "max_age": "104w"})
    shop.write()

    assert shop.sync().code == 0
    sent = {customer for customer in [f"c{n:05d}" for n in range(1, 10)] if shop.destinations_of(customer)}
    assert sent == {"c00005", "c00007", "c00009"}
    rules = {customer: _traced(shop, customer)["rule"] for customer in [f"c{n:05d}" for n in range(1, 9)]}
    assert rules == {
        "c00001": "grant_expired",
        "c00002": "basis_not_accepted",
        "c00003": "revoked",
        "c00004": "opt_in_unconfirmed",
        "c00005": "granted",
        "c00006": "default_denied",
        "c00007": "default_granted",
        "c00008": "default_denied_state_unknown",
    }
    assert _traced(shop, "c00005")["record_at"] == again
    assert _traced(shop, "c00005")["record_source"] == "mail"


def test_a_confirmed_grant_lets_back_in_whom_an_opt_out_took_off(synced: Shop) -> None:
    _says(synced, "c00041", grant("c00041", LAST_YEAR, "revoked", regulation="ccpa"))
    synced.write()
    synced.sync()
    assert synced.destinations_of("c00041") == set()

    again = format_time(now_utc() - timedelta(hours=1))
    synced.consent.append(grant("c00041", again))
    synced.write()
    synced.sync()
    assert synced.destinations_of("c00041") == set()

    synced.consent.append(grant("c00041", again, confirmed="true"))
    synced.write()
    synced.sync()
    assert synced.destinations_of("c00041") == EVERYWHERE


def test_whose_grant_has_grown_too_old_leaves_as_anybody_who_leaves(synced: Shop) -> None:
    _says(synced, "c00042", grant("c00042", LONG_AGO))
    synced.change(consent={"max_age": "104w"})
    synced.write()
    synced.sync()

    assert synced.destinations_of("c00042") == set()
    assert synced.query("SELECT count(*) FROM removal_log")[0][0] == 0
