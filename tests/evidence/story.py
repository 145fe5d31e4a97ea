"""A year of a business in five acts, told so that whoever comes after a crash can go on with it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.evidence.business import START, Business
from tests.evidence.laws import check_all, check_log, settle_down, state_of

#: On which day each act begins; before the last one a platform forgets whom it was not told of again.
DAYS: Final = (0, 10, 20, 30, 90)
#: Before which act the process ends in peace and another one begins.
REOPENED_AT: Final = 3
#: A process that goes on after a crash comes a few hours later.
LATER: Final = timedelta(hours=5)
DESIRED: Final = {"a": "s1", "b": "s1", "c": "s1", "d": "s1", "e": "s2", "f": "s2", "g": "s2", "bad": "s2"}


def _begin(business: Business) -> None:
    business.desired = dict(DESIRED)
    business.sync()


def _take_back(business: Business) -> None:
    """One of two who share an e-mail takes consent back."""
    business.revoke("a")
    business.send_revocations()


def _change(business: Business) -> None:
    """Somebody left, somebody came, somebody has another e-mail, and another one takes consent back."""
    business.move("c", 1)
    business.desired = {**DESIRED, "e": "s1", "h": "s2"}
    del business.desired["d"]
    business.revoke("g")
    business.sync()


def _give_again(business: Business) -> None:
    business.grant("a")
    business.sync()


def _renew(business: Business) -> None:
    business.after(days=0)
    business.sync()


ACTS: Final[tuple[Callable[[Business], None], ...]] = (_begin, _take_back, _change, _give_again, _renew)


def live(folder: Path, *, foreign: Path, listen: Callable[..., None], life: int) -> dict[str, list[str]]:
    """Tell the story from where it stands to its end; hold every law to it.

    Args:
        foreign: What outlives a crash of ours: the platforms, and which act the tables are at.
        listen: Called wherever a crash leaves something else behind.
        life: How many processes came before.

    Returns:
        Who is where in the end.
    """
    business = Business(folder, listen=listen, foreign=foreign)
    business.check_superset()
    check_log(business.ledger, business.sealer.public_key)
    page = foreign / "act.json"
    first = json.loads(page.read_text()) if page.exists() else 0
    for number, act in enumerate(ACTS):
        business.now = (
            START + timedelta(days=DAYS[number]) + (life * LATER if number >= first else timedelta())
        )
        if number < first:
            _remember(business, number)
            continue
        _turn(page, number)
        if number == REOPENED_AT:
            business.restart()  # closing takes the write-ahead log back into the file
        act(business)
        business.check_superset()
    _turn(page, len(ACTS))
    settle_down(business)
    check_all(business)
    state = state_of(business)
    business.ledger.close()
    return state


def _turn(page: Path, number: int) -> None:
    part = page.with_suffix(".part")
    part.write_text(json.dumps(number))
    part.replace(page)


def _remember(business: Business, number: int) -> None:
    """Bring the tables to what they were after an act that is over."""
    match number:
        case 0:
            business.desired = dict(DESIRED)
        case 1:
            business.revoked["a"] = business.now
        case 2:
            business.move("c", 1)
            business.desired = {**DESIRED, "e": "s1", "h": "s2"}
            del business.desired["d"]
            business.revoked["g"] = business.now
        case 3:
            business.revoked.pop("a")
