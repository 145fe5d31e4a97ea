from collections import Counter

import phonenumbers

from cohortd.demo.contacts import contacts_of

IDS = tuple(str(number) for number in range(1, 2501))
CONTACTS = contacts_of(IDS)
GMAIL_NAME_MOST = 30


def mailboxes() -> list[str]:
    return [address.strip().lower() for contact in CONTACTS for address in contact.emails]


def test_the_same_customers_always_get_the_same_contacts() -> None:
    assert contacts_of(IDS) == CONTACTS


def test_almost_every_phone_is_a_valid_number() -> None:
    phones = [contact.phone for contact in CONTACTS if contact.phone]
    valid = [phone for phone in phones if _is_valid(phone)]

    assert len(phones) > 0.75 * len(IDS)
    assert 0.98 < len(valid) / len(phones) < 1


def test_every_valid_phone_is_one_kept_for_fiction() -> None:
    for phone in (contact.phone for contact in CONTACTS if contact.phone and _is_valid(contact.phone)):
        national = str(phonenumbers.parse(phone, "US").national_number)
        assert national[3:8] == "55501", national


def test_no_email_can_reach_anybody() -> None:
    for mailbox in (mailbox for mailbox in mailboxes() if mailbox.count("@") == 1):
        name, domain = mailbox.split("@")
        if domain in {"gmail.com", "googlemail.com"}:
            assert len(name.partition("+")[0].replace(".", "")) > GMAIL_NAME_MOST, mailbox
            assert len(name) <= 64, mailbox
        else:
            assert domain in {"", "example.com", "example.org", "example.net"}, mailbox


def test_contacts_are_as_untidy_as_real_ones() -> None:
    raw = [address for contact in CONTACTS for address in contact.emails]

    assert any("+" in address for address in raw)
    assert any(address != address.strip() for address in raw)
    assert any(address.isupper() for address in raw)
    assert any("@" not in address for address in raw)
    assert any(len(contact.emails) == 2 for contact in CONTACTS)
    assert any(not contact.emails for contact in CONTACTS)
    assert any(contact.phone is None for contact in CONTACTS)
    assert any(contact.postal_code is None for contact in CONTACTS)


def test_a_few_households_share_an_email_or_a_phone() -> None:
    emails = Counter(mailbox for mailbox in mailboxes() if _is_address(mailbox))
    phones = Counter(contact.phone for contact in CONTACTS if contact.phone and _is_valid(contact.phone))

    assert 20 < sum(count > 1 for count in emails.values()) < 120
    assert 20 < sum(count > 1 for count in phones.values()) < 120


def _is_valid(phone: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(phone, "US"))
    except phonenumbers.NumberParseException:
        return False


def _is_address(mailbox: str) -> bool:
    return mailbox.count("@") == 1 and "." in mailbox.partition("@")[2]
