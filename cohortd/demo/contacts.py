"""Generated contact fields for real households: as untidy as real ones, and nobody's.

E-mail addresses are under example.com, .org and .net (reserved by RFC 2606), or at gmail.com with
a name longer than the 30 characters a Gmail name may have, so no such mailbox can exist. Phone
numbers are 555-0100 to 555-0199, kept for fiction in every US area code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cohortd.demo.draws import band, draw, pick
from cohortd.demo.people import FIRST_NAMES, LAST_NAMES, PLACES, Place

_EXAMPLE_DOMAINS: Final = ("example.com", "example.org", "example.net")
_TAGS: Final = ("deals", "groceries", "news", "shop")
_BROKEN_EMAILS: Final = (
    "n/a",
    "none",
    "jane@",
    "no e-mail given",
    "marlowe(at)example.com",
    "a@b@example.org",
)
_BROKEN_PHONES: Final = ("000", "555-0100", "unlisted", "12345")
_NUMBERS_PER_AREA: Final = 100
#: Of all households: those who give the e-mail or the phone of the household before them.
_SHARE_EMAIL: Final = 0.03
_SHARE_PHONE: Final = 0.03
#: Of the Gmail addresses: those with a tag, and those under the older domain.
_TAGGED: Final = 0.25
_GOOGLEMAIL: Final = 0.03


@dataclass(frozen=True, slots=True)
class Contact:
    """One household's contact fields as a company's own system might hold them."""

    customer_id: str
    emails: tuple[str, ...]
    phone: str | None
    first_name: str
    last_name: str
    place: Place
    postal_code: str | None


def contacts_of(customer_ids: Sequence[str]) -> list[Contact]:
    """Make one contact a customer, in the order given; the same ids always give the same contacts.

    Raises:
        ValueError: There are more customers than fictional phone numbers.
    """
    room = len(PLACES) * _NUMBERS_PER_AREA
    if len(customer_ids) > room:
        raise ValueError(f"{len(customer_ids)} customers, but only {room} fictional phone numbers")
    scattered = sorted(customer_ids, key=lambda customer: (draw(customer, "place"), customer))
    own = {customer: _own(customer, rank) for rank, customer in enumerate(scattered)}
    before = dict(zip(customer_ids[1:], customer_ids, strict=False))
    return [_sharing(own[customer], own.get(before.get(customer, ""))) for customer in customer_ids]


def _own(customer: str, rank: int) -> Contact:
    place = PLACES[rank % len(PLACES)]
    first, last = pick(customer, "first", FIRST_NAMES), pick(customer, "last", LAST_NAMES)
    return Contact(
        customer_id=customer,
        emails=_emails(customer, first, last),
        phone=_phone(customer, place, 100 + rank // len(PLACES)),
        first_name=_untidy(customer, "first", first),
        last_name=_untidy(customer, "last", last),
        place=place,
        postal_code=_postal_code(customer, place),
    )


def _sharing(contact: Contact, neighbour: Contact | None) -> Contact:
    if neighbour is None:
        return contact
    emails, phone = contact.emails, contact.phone
    if draw(contact.customer_id, "share e-mail") < _SHARE_EMAIL:
        emails = neighbour.emails[:1] or emails
    if draw(contact.customer_id, "share phone") < _SHARE_PHONE:
        phone = neighbour.phone or phone
    return Contact(
        customer_id=contact.customer_id,
        emails=emails,
        phone=phone,
        first_name=contact.first_name,
        last_name=contact.last_name,
        place=contact.place,
        postal_code=contact.postal_code,
    )


def _emails(customer: str, first: str, last: str) -> tuple[str, ...]:
    kind = band(
        customer,
        "e-mail",
        (("none", 0.07), ("broken", 0.01), ("two", 0.06), ("gmail", 0.30), ("example", 0.56)),
    )
    match kind:
        case "none":
            return ()
        case "broken":
            return (pick(customer, "broken e-mail", _BROKEN_EMAILS),)
        case "two":
            return (_gmail(customer, first, last), _example(customer, first, last))
        case "gmail":
            return (_gmail(customer, first, last),)
        case _:
            return (_example(customer, first, last),)


def _gmail(customer: str, first: str, last: str) -> str:
    words = [_word(first), _word(last), "of", "demo", "fictional", "household", customer]
    # Dots, a tag and capitals change nothing at Gmail: three ways to write one mailbox.
    name = band(customer, "dots", ((".".join(words), 0.6), ("".join(words), 0.4)))
    tag = "+" + pick(customer, "tag", _TAGS) if draw(customer, "tagged") < _TAGGED else ""
    domain = "googlemail.com" if draw(customer, "googlemail") < _GOOGLEMAIL else "gmail.com"
    return _untidy(customer, "gmail", f"{name}{tag}@{domain}")


def _example(customer: str, first: str, last: str) -> str:
    name = f"{_word(first)}.{_word(last)}.{customer}"
    return _untidy(customer, "example", f"{name}@{pick(customer, 'domain', _EXAMPLE_DOMAINS)}")


def _phone(customer: str, place: Place, number: int) -> str | None:
    area, line = place.area_code, f"0{number}"
    styles = (
        f"({area}) 555-{line}",
        f"{area}-555-{line}",
        f"+1 {area} 555 {line}",
        f"{area}555{line}",
        f"1.{area}.555.{line}",
    )
    kind = band(customer, "phone", (("none", 0.18), ("broken", 0.01), ("good", 0.81)))
    if kind == "none":
        return None
    return (
        pick(customer, "broken phone", _BROKEN_PHONES)
        if kind == "broken"
        else pick(customer, "style", styles)
    )


def _postal_code(customer: str, place: Place) -> str | None:
    extra = f"{place.postal_code}-{int(draw(customer, 'plus four') * 9000) + 1000}"
    return band(customer, "postal", ((None, 0.02), (extra, 0.12), (place.postal_code, 0.86)))


def _untidy(customer: str, purpose: str, text: str) -> str:
    return band(
        customer,
        f"untidy {purpose}",
        ((text.upper(), 0.04), (f" {text}", 0.02), (f"{text} ", 0.02), (text.title(), 0.05), (text, 0.87)),
    )


def _word(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalpha())
