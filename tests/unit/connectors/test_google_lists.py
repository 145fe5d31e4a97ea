"""What Google shows of a user list, in our words, whichever API says it."""

import pytest

from cohortd.core.delivery import Flag
from connectors.google_lists import Shown, names_for, status_of


@pytest.mark.parametrize(
    ("shown", "flags", "state"),
    [
        (Shown(), (), "Google says nothing"),
        (Shown(membership="OPEN", access_reason="OWNED", takes_contacts=True), (), "open"),
        (Shown(membership="OPEN", access_reason="ACCESS_REASON_UNSPECIFIED"), (), "open"),
        (Shown(membership="OPEN", access_reason="UNSPECIFIED", closing_reason="UNSPECIFIED"), (), "open"),
        (Shown(membership="OPEN", access_reason="UNKNOWN"), (), "open"),
        (Shown(membership="OPEN", access_reason="7"), (), "open"),
        (Shown(membership="CLOSED"), (Flag.CLOSED,), "closed"),
        (
            Shown(membership="CLOSED", closing_reason="UNUSED"),
            (Flag.CLOSED, Flag.UNUSED),
            "closed; by Google, since no campaign uses it",
        ),
        (Shown(membership="OPEN", access_reason="SHARED"), (Flag.FOREIGN,), "open; another account's"),
        (
            Shown(membership="OPEN", takes_contacts=False),
            (Flag.OTHER_FIELDS,),
            "open; takes no contact fields",
        ),
    ],
)
def test_what_is_worth_a_look_is_flagged_with_what_to_do(
    shown: Shown, flags: tuple[Flag, ...], state: str
) -> None:
    status = status_of(shown)

    assert (status.flags, status.state) == (flags, state)
    assert bool(status.cure) == bool(flags)


def test_sizes_are_a_range_over_the_networks_and_a_network_is_enough_to_be_usable() -> None:
    shown = Shown(sizes=(900, 0, 1_400), eligible={"search": False, "display": True}, match_rate=47)
    status = status_of(shown)

    assert (status.size_lower, status.size_upper, status.match_rate) == (0, 1_400, "47%")
    assert (status.usable, status.eligible) == (True, {"search": False, "display": True})


def test_the_marker_is_looked_for_where_google_shows_the_list_at_all() -> None:
    assert status_of(Shown()).marked is None
    assert status_of(Shown(name="A", marker="cohortd:0a:google:1:s1")).marked is True
    assert status_of(Shown(name="A", marker="CRM-7")).marked is False


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert names_for("Regulars")[:3] == ["Regulars", "Regulars (2)", "Regulars (3)"]
