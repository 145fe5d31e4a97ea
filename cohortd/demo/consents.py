"""Generated consent: who said yes, no or nothing about advertising, and who takes it back when."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from cohortd.core.consenting import ConsentStatus
from cohortd.core.times import format_time
from cohortd.demo.contacts import Contact, contacts_of
from cohortd.demo.draws import band, draw, pick

CONSENT_COLUMNS: Final = (
    "customer_id",
    "status",
    "recorded_at",
    "purpose",
    "platform",
    "regulation",
    "source",
)
PURPOSE: Final = "advertising"

_YEAR_BEGINS: Final = datetime(2017, 1, 1, tzinfo=UTC)
_SOURCES: Final = ("loyalty card form", "web account", "store kiosk", "mobile app")
_SHARES: Final = (
    ("granted", 0.845),
    ("granted, but not Meta", 0.015),
    ("denied", 0.04),
    ("taken back before the year", 0.01),
    ("granted in the year", 0.05),
    ("silent", 0.04),
)


@dataclass(frozen=True, slots=True, repr=False)
class Revocation:
    """One person who changes their mind; exactly one of ``customer_id`` and ``email`` is set.

    Holds a contact field as the person would type it, so it is not printed.
    """

    at: datetime
    customer_id: str | None
    email: str | None
    reason: str

    def __repr__(self) -> str:
        """Show when and by what means, never by which address."""
        return f"Revocation({self.at:%Y-%m-%d %H:%M}, by {'customer id' if self.customer_id else 'e-mail'})"


def consent_rows(customer_ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the consent records, ``CONSENT_COLUMNS`` each; a silent customer has none."""
    for customer in customer_ids:
        for status, at, platform in _statements(customer):
            source = pick(customer, f"source {status}", _SOURCES)
            yield customer, status.value, format_time(at), PURPOSE, platform, "", source


def revocations(
    customer_ids: Sequence[str], weeks: Sequence[datetime], *, per_week: int = 12
) -> tuple[Revocation, ...]:
    """Say who revokes in the seven days after each of *weeks*, in the order of time.

    Only customers who consented before the year to everything and gave a sound e-mail are chosen,
    each once. Two thirds revoke by customer id and the rest by e-mail, and of these the first of
    each week with an address that a second household gave too, so that one revocation concerns two.
    """
    plain, shared = _candidates(customer_ids)
    by_email = per_week // 3
    told: list[Revocation] = []
    for week in weeks:
        addressed = list(islice(shared, min(1, by_email)))
        addressed += islice(plain, by_email - len(addressed))
        told += [_by_email(contact, week) for contact in addressed]
        told += [_by_customer(contact, week) for contact in islice(plain, per_week - by_email)]
    return tuple(sorted(told, key=lambda revocation: (revocation.at, revocation.customer_id or "")))


def _statements(customer: str) -> list[tuple[ConsentStatus, datetime, str]]:
    before = _YEAR_BEGINS - timedelta(days=30 + 700 * draw(customer, "asked at"))
    later = before + timedelta(days=29 * draw(customer, "changed at"))
    match band(customer, "consent", _SHARES):
        case "granted":
            return [(ConsentStatus.GRANTED, before, "")]
        case "granted, but not Meta":
            return [(ConsentStatus.GRANTED, before, ""), (ConsentStatus.DENIED, later, "meta")]
        case "denied":
            return [(ConsentStatus.DENIED, before, "")]
        case "taken back before the year":
            return [(ConsentStatus.GRANTED, before, ""), (ConsentStatus.REVOKED, later, "")]
        case "granted in the year":
            return [
                (
                    ConsentStatus.GRANTED,
                    _YEAR_BEGINS + timedelta(days=20 + 340 * draw(customer, "late")),
                    "",
                )
            ]
        case _:
            return []


def _candidates(customer_ids: Sequence[str]) -> tuple[Iterator[Contact], Iterator[Contact]]:
    """Those who may revoke, in a scattered order: with an address of their own, with a shared one."""
    contacts = contacts_of(customer_ids)
    holders = Counter(address.strip().lower() for contact in contacts for address in contact.emails)
    plain, shared = list[Contact](), dict[str, Contact]()
    for contact in sorted(contacts, key=lambda contact: draw(contact.customer_id, "revokes")):
        if band(contact.customer_id, "consent", _SHARES) != "granted" or not _sound(contact):
            continue
        address = contact.emails[0].strip().lower()
        if holders[address] == 1:
            plain.append(contact)
        else:
            shared.setdefault(address, contact)
    return iter(plain), iter(shared.values())


def _sound(contact: Contact) -> bool:
    return bool(contact.emails) and contact.emails[0].strip().lower().endswith(
        ("@gmail.com", "@googlemail.com", ".com", ".org", ".net")
    )


def _by_customer(contact: Contact, week: datetime) -> Revocation:
    reason = pick(contact.customer_id, "reason", ("asked in store", "opted out in the account"))
    return Revocation(_moment(contact, week), contact.customer_id, None, reason)


def _by_email(contact: Contact, week: datetime) -> Revocation:
    return Revocation(
        _moment(contact, week), None, contact.emails[0].strip().lower(), "wrote to privacy desk"
    )


def _moment(contact: Contact, week: datetime) -> datetime:
    # Half a day clear of both runs, so that it is plain between which two it happened.
    return week + timedelta(days=0.5 + 6 * draw(contact.customer_id, "revoked at"))
