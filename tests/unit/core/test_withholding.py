"""Contact data in words and ids of a record is withheld."""

import pytest

from cohortd.core.withholding import WITHHELD, telling_apart, without_contacts


@pytest.mark.parametrize("text", ["ann@example.org", "said by ann@example.org", "+1 415 555 2671"])
def test_contact_data_is_withheld_and_ids_stay_apart(text):
    assert without_contacts(text) == WITHHELD
    assert text not in telling_apart(text)
    assert telling_apart(text) != telling_apart(f"{text[:-1]}9")


@pytest.mark.parametrize("text", ["", "gdpr", "receipt 2026-02-01/123456789", "msg_2f1"])
def test_all_else_stays(text):
    assert (without_contacts(text), telling_apart(text)) == (text, text)
