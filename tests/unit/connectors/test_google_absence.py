"""Only a stand-in may not list audiences; where Google does not, nothing is made a second time."""

from types import SimpleNamespace
from typing import Any

import pytest

from cohortd.core.delivery import RemoteSpec
from connectors.google_data_manager.audiences import Audiences
from connectors.google_errors import GoneError, UnknownCallError

SPEC = RemoteSpec("s1", "Regulars", "Buys often")


def absent(error: Exception, *, is_stand_in: bool) -> Audiences:
    """Audiences of an account whose list is not there."""

    def user_lists(method: str, _request: Any) -> Any:
        if method == "list_user_lists":
            raise error
        return SimpleNamespace(id=7, name="")

    return Audiences(SimpleNamespace(is_stand_in=is_stand_in, parent="p", user_lists=user_lists))


@pytest.mark.parametrize("kind", [GoneError, UnknownCallError])
def test_a_list_that_google_does_not_give_makes_no_second_audience(kind: type[Exception]) -> None:
    audiences = absent(kind("not there", cure="Look."), is_stand_in=False)
    with pytest.raises(kind):
        audiences.ensure(SPEC)
    with pytest.raises(kind):
        audiences.marked()


@pytest.mark.parametrize("kind", [GoneError, UnknownCallError])
def test_a_stand_in_need_not_list(kind: type[Exception]) -> None:
    audiences = absent(kind("not there", cure="Look."), is_stand_in=True)

    assert audiences.ensure(SPEC) == "7"
    assert audiences.marked() == []
