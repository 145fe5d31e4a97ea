"""Every trouble at every verb: all ends in the right members, and whatever is said meanwhile is true."""

from collections.abc import Callable
from typing import ClassVar

import pytest

from cohortd.core.delivery import Action, RemoteSpec
from connectors.contract_diligence import Diligent
from connectors.contract_kit import Elapse, Inspector, Strike, Trouble, Unmet, person, seen
from connectors.protocol import Connector

ANN, BOB, EVE = person(1), person(2), person(3)
_UPLOADS = ("add", "remove")
#: What can only happen to some verbs; everything else can happen to all.
ONLY: dict[Trouble, tuple[str, ...]] = {
    # As an answer to a question for a list an empty object may be a right one.
    Trouble.EMPTY: ("create", "add", "remove", "poll", "read", "rename", "retire"),
    Trouble.HALF_APPLIED: _UPLOADS,
    Trouble.TOO_LARGE: _UPLOADS,
    Trouble.REFUSED: _UPLOADS,
    Trouble.ROW_REFUSED: _UPLOADS,
    Trouble.GONE: _UPLOADS,
    Trouble.NOT_YET: ("remove",),
    Trouble.WORK_FAILED: _UPLOADS,
    Trouble.WORK_HALF_DONE: _UPLOADS,
    Trouble.WORK_LATE: _UPLOADS,
}


class FaultMatrix:
    """Verb by verb, one trouble: the story of an audience from its making to its end."""

    #: Texts that no error may ever show, such as the access token.
    secrets: ClassVar[tuple[str, ...]] = ()
    #: The verbs that make calls; a platform that confirms at once has nothing to poll.
    verbs: ClassVar[tuple[str, ...]] = (
        "create",
        "find",
        "add",
        "remove",
        "poll",
        "rename",
        "read",
        "retire",
        "check",
    )
    #: Troubles that this platform, or the way to it, cannot make.
    impossible: ClassVar[frozenset[Trouble]] = frozenset()

    @pytest.mark.parametrize("trouble", Trouble)
    def test_one_trouble_ends_in_the_right_members_and_nothing_untrue_was_said(  # noqa: PLR0917 - fixtures
        self,
        connector: Connector,
        members: Inspector,
        strike: Strike,
        unmet: Unmet,
        pass_time: Elapse,
        trouble: Trouble,
    ) -> None:
        """At each verb in turn, on an audience of its own."""
        if trouble in self.impossible:
            pytest.skip("this platform cannot make it")
        diligent = Diligent(connector, members, pass_time, self.secrets)
        for verb in sorted({*ONLY.get(trouble, self.verbs)} & {*self.verbs}):
            spec = RemoteSpec(f"{trouble}-{verb}", f"{trouble} {verb}", "Buys often")
            _tell(diligent, connector, members, spec, before=_striking(strike, verb, trouble))
            assert unmet() == 0, f"{verb} never met {trouble}"


def _striking(strike: Strike, troubled: str, trouble: Trouble) -> Callable[[str], None]:
    def before(verb: str) -> None:
        if verb == troubled:
            strike(verb, trouble)

    return before


def _tell(
    diligent: Diligent,
    connector: Connector,
    members: Inspector,
    spec: RemoteSpec,
    *,
    before: Callable[[str], None],
) -> None:
    """An audience is made, filled, shrunk, found again, renamed, looked at and retired."""
    before("create")
    remote_id = diligent.ensure(spec)
    before("add")
    before("poll")
    diligent.deliver(remote_id, Action.ADD, [ANN, BOB, EVE])
    assert members(remote_id) == seen([ANN, BOB, EVE])
    before("remove")
    diligent.deliver(remote_id, Action.REMOVE, [BOB, EVE])
    assert members(remote_id) == seen([ANN])
    before("find")
    assert diligent.ensure(spec) == remote_id
    before("rename")
    diligent.insist(lambda: connector.rename(remote_id, f"{spec.name} anew"))
    before("read")
    status = diligent.insist(lambda: connector.read(remote_id))
    assert status.state
    assert status.name in (None, f"{spec.name} anew")
    before("check")
    diligent.check()
    before("retire")
    diligent.insist(lambda: connector.retire(remote_id))
