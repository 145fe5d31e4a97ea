import pyarrow as pa
import pytest

from cohortd.core.quality import Doubt
from cohortd.identity.mailboxes import doubts


def doubt_of(*emails: str) -> dict[str, int]:
    return dict(doubts(pa.array(emails, pa.string())))


@pytest.mark.parametrize(
    "email",
    [
        "info@example.com",
        "SALES@example.com",
        " no-reply@example.com ",
        "support+crm@example.com",
        "postmaster@münchen.example",
        "info@gmail.com",
    ],
)
def test_an_address_of_a_function_is_one_of_a_role(email: str) -> None:
    assert doubt_of(email) == {Doubt.ROLE: 1}


@pytest.mark.parametrize("email", ["x@mailinator.com", "x@team.mailinator.com", "info@Mailinator.COM"])
def test_a_throwaway_domain_and_what_is_below_it_are_disposable(email: str) -> None:
    assert doubt_of(email) == {Doubt.DISPOSABLE: 1}


@pytest.mark.parametrize(
    "email", ["x@gmial.com", "x@hotmial.com", "x@gmail.con", "x@firma.comm", "X@GMIAL.COM."]
)
def test_a_domain_that_nobody_has_is_a_typing_error(email: str) -> None:
    assert doubt_of(email) == {Doubt.TYPING_ERROR: 1}


@pytest.mark.parametrize(
    "email",
    [
        "ann@gmail.com",
        "ann@ymail.com",
        "ann@mail.com",
        "ann@example.co",
        "information@example.com",
        "ann.sales@example.com",
        "+info@example.com",
    ],
)
def test_an_ordinary_address_is_not_doubted(email: str) -> None:
    assert doubt_of(email) == {}


@pytest.mark.parametrize(
    "text", ["info", "info@", "@gmial.com", "info@@gmial.com", "an n@gmial.com", "info@local", "", "é@"]
)
def test_what_is_no_address_is_not_doubted_but_invalid(text: str) -> None:
    assert doubt_of(text) == {}


def test_lists_and_gaps_are_read() -> None:
    emails = pa.array([["info@example.com", "x@gmial.com"], None, [], ["é@mailinator.com"]])

    assert doubts(emails) == {Doubt.ROLE: 1, Doubt.TYPING_ERROR: 1, Doubt.DISPOSABLE: 1}
