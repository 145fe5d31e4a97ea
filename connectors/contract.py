"""What every connector promises, as a test class anyone can run against their own.

Subclass it in a test module and give the fixtures that the methods name::

    class TestMine(ConnectorContract):
        secrets = ("the-token",)

        @pytest.fixture
        def connector(self): ...
        @pytest.fixture
        def members(self): ...
        @pytest.fixture
        def strike(self): ...
        @pytest.fixture
        def unmet(self): ...
        @pytest.fixture
        def pass_time(self): ...

- ``connector``: a fresh connector to an empty account, making single attempts.
- ``members``: remote id -> the identifiers now in it, as ``(kind, digest)`` (an ``Inspector``).
- ``strike``: lets the next call of a verb meet trouble (a ``Strike``); ``unmet``: how many it has not yet.
- ``pass_time``: lets so many seconds go by for connector and platform without sleeping.

Call ``pytest.register_assert_rewrite("connectors.contract")`` in a ``conftest.py`` to see values in
failed assertions.
"""

import itertools
from dataclasses import replace
from functools import partial
from typing import ClassVar

from cohortd.core.delivery import Action, BatchState, Receipt, RemoteSpec
from cohortd.core.errors import FatalError, RejectedError, RetryableError, SyncError
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from connectors.contract_faults import FaultMatrix
from connectors.contract_kit import (
    POLL_EVERY_S,
    Elapse,
    Inspector,
    Seen,
    Strike,
    Trouble,
    Unmet,
    assert_discreet,
    batch_of,
    digest_of_text,
    error_of,
    insisting,
    person,
    seen,
    settle,
)
from connectors.protocol import Connector

__all__ = [
    "ConnectorContract",
    "Elapse",
    "Inspector",
    "Seen",
    "Strike",
    "Trouble",
    "Unmet",
]


class ConnectorContract(FaultMatrix):
    """The suite; see the module's docstring for the fixtures."""

    #: An id of the platform's own form that names no audience.
    unknown_remote_id: ClassVar[str] = "999999999"

    spec = RemoteSpec("s1", "Regulars", "Buys often")
    ann, bob, eve = person(1), person(2), person(3)

    def test_declares_limits_that_can_be_worked_with(self, connector: Connector) -> None:
        """A pipeline plans with these numbers."""
        assert connector.platform
        assert connector.limits.rows_per_batch > 0
        assert connector.limits.minimum_size >= 0

    def test_what_was_added_is_there(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """Exactly that, nothing else."""
        remote_id = connector.ensure(self.spec)
        receipt = self._send(connector, pass_time, remote_id, Action.ADD, self.ann, self.bob)
        assert receipt.state is BatchState.CONFIRMED
        assert not receipt.rejected
        assert members(remote_id) == seen([self.ann, self.bob])

    def test_adding_twice_is_adding_once(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """A batch whose answer was lost is sent again."""
        remote_id = connector.ensure(self.spec)
        for _ in range(2):
            self._send(connector, pass_time, remote_id, Action.ADD, self.ann)
        assert members(remote_id) == seen([self.ann])

    def test_the_same_batch_sent_twice_is_taken_twice(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """Nothing that names a batch may make the platform drop its repetition."""
        remote_id = connector.ensure(self.spec)
        again = batch_of(remote_id, Action.ADD, self.ann)
        settle(connector, connector.apply(again), pass_time)
        self._send(connector, pass_time, remote_id, Action.REMOVE, self.ann)
        settle(connector, connector.apply(again), pass_time)
        assert members(remote_id) == seen([self.ann])

    def test_removing_after_adding_leaves_nothing(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """The promise behind every revocation."""
        remote_id = connector.ensure(self.spec)
        self._send(connector, pass_time, remote_id, Action.ADD, self.ann)
        for _ in range(2):
            receipt = self._send(connector, pass_time, remote_id, Action.REMOVE, self.ann)
            assert receipt.state is BatchState.CONFIRMED
        assert members(remote_id) == frozenset()

    def test_removing_who_is_not_there_is_no_error(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """Removals are also sent to where somebody may be."""
        remote_id = connector.ensure(self.spec)
        self._send(connector, pass_time, remote_id, Action.ADD, self.ann)
        receipt = self._send(connector, pass_time, remote_id, Action.REMOVE, self.eve)
        assert receipt.state is BatchState.CONFIRMED
        assert members(remote_id) == seen([self.ann])

    def test_removing_one_person_keeps_the_others(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """Nobody leaves because a neighbour in the batch does."""
        remote_id = connector.ensure(self.spec)
        self._send(connector, pass_time, remote_id, Action.ADD, self.ann, self.bob)
        self._send(connector, pass_time, remote_id, Action.REMOVE, self.ann)
        assert members(remote_id) == seen([self.bob])

    def test_a_changed_contact_field_leaves_what_stays_and_what_came(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """A removal names only what left, the add that follows the whole person as they are now."""
        remote_id = connector.ensure(self.spec)
        self._send(connector, pass_time, remote_id, Action.ADD, self.ann, self.bob)
        mail, phone = self.ann.identifiers
        fresh = Identifier(mail.kind, digest_of_text("a new address"))
        self._send(connector, pass_time, remote_id, Action.REMOVE, Member(self.ann.key, (mail,)))
        now = Member(self.ann.key, (fresh, phone))
        self._send(connector, pass_time, remote_id, Action.ADD, now)
        assert members(remote_id) == seen([now, self.bob])

    def test_a_person_of_many_identifiers_comes_and_goes_whole(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """Three e-mails and one phone are one person."""
        remote_id = connector.ensure(self.spec)
        mails = tuple(Identifier(IdentifierKind.EMAIL, digest_of_text(f"mail {n}")) for n in range(3))
        many = Member(self.ann.key, (*mails, self.ann.identifiers[1]))
        self._send(connector, pass_time, remote_id, Action.ADD, many)
        assert members(remote_id) == seen([many])
        self._send(connector, pass_time, remote_id, Action.REMOVE, many)
        assert members(remote_id) == frozenset()

    def test_the_largest_batch_goes_through(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """As many members as the connector itself declares, at most 10,000 of them here."""
        crowd = [person(number) for number in range(min(connector.limits.rows_per_batch, 10_000))]
        remote_id = connector.ensure(self.spec)
        self._send(connector, pass_time, remote_id, Action.ADD, *crowd)
        assert members(remote_id) == seen(crowd)
        self._send(connector, pass_time, remote_id, Action.REMOVE, *crowd)
        assert members(remote_id) == frozenset()

    def test_ensuring_twice_gives_one_audience(self, connector: Connector) -> None:
        """The marker finds it again, whatever its name has become in our settings."""
        first = connector.ensure(self.spec)
        renamed = RemoteSpec(self.spec.audience, "Another name", self.spec.description)
        assert connector.ensure(renamed) == first

    def test_a_renamed_audience_is_the_same_one(self, connector: Connector) -> None:
        """Its marker stays, so it is found; renaming it twice is renaming it once."""
        remote_id = connector.ensure(self.spec)
        for _ in range(2):
            connector.rename(remote_id, "Another name")
        assert connector.ensure(self.spec) == remote_id
        assert connector.read(remote_id).name in (None, "Another name")
        assert [each.remote_id for each in connector.marked()] == [remote_id]

    def test_renaming_what_is_not_there_is_never_success(self, connector: Connector) -> None:
        """Someone deleted it, or took our access away: a person decides."""
        error = error_of(lambda: connector.rename(self.unknown_remote_id, "Another name"))
        assert isinstance(error, FatalError)
        assert error.scope == "audience"
        assert error.cure

    def test_the_account_may_be_asked_at_any_time(self, connector: Connector) -> None:
        """What is not told is None, and is not taken for a refusal."""
        assert connector.account().terms in (None, True)

    def test_what_was_made_is_listed_with_its_marker(self, connector: Connector) -> None:
        """By that the pipeline finds audiences whose ledger is lost; another owner's is another one."""
        ours = replace(self.spec, owner="0a1b2c3d:shop:18f00000000")
        made = {connector.ensure(spec): spec.marker for spec in (self.spec, ours)}
        assert made == {each.remote_id: each.marker for each in connector.marked()}
        assert len(made) == len({self.spec.marker, ours.marker})

    def test_two_audiences_are_two(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """Even where they have the same name, and one marker begins with the other."""
        first = connector.ensure(self.spec)
        second = connector.ensure(
            RemoteSpec(self.spec.audience + "0", self.spec.name, self.spec.description)
        )
        assert first != second
        self._send(connector, pass_time, first, Action.ADD, self.ann)
        assert members(second) == frozenset()

    def test_ensuring_after_a_lost_answer_finds_what_was_made(
        self, connector: Connector, strike: Strike
    ) -> None:
        """Otherwise every lost answer leaves an audience behind."""
        strike("create", Trouble.ANSWER_LOST)
        error = error_of(lambda: connector.ensure(self.spec))
        assert isinstance(error, RetryableError)
        assert connector.ensure(self.spec) == connector.ensure(self.spec)

    def test_an_unknown_remote_audience_is_never_success(
        self, connector: Connector, pass_time: Elapse
    ) -> None:
        """Someone deleted it, or took our access away: a person decides."""
        batch = batch_of(self.unknown_remote_id, Action.ADD, self.ann)
        outcome: Receipt | None = None
        error: SyncError | None = None
        try:
            outcome = settle(connector, connector.apply(batch), pass_time)
        except SyncError as raised:
            error = raised
        if outcome is not None:
            assert outcome.state is BatchState.REJECTED
        elif isinstance(error, FatalError):
            assert error.scope == "audience"
            assert error.cure
        else:
            assert isinstance(error, RejectedError)

    def test_retiring_twice_and_retiring_nothing_are_no_errors(self, connector: Connector) -> None:
        """A retirement whose answer was lost is asked for again."""
        remote_id = connector.ensure(self.spec)
        connector.retire(remote_id)
        connector.retire(remote_id)
        connector.retire(self.unknown_remote_id)

    def test_a_retired_audience_can_be_had_again(
        self, connector: Connector, members: Inspector, pass_time: Elapse
    ) -> None:
        """Opened anew or made anew, it takes members."""
        connector.retire(connector.ensure(self.spec))
        remote_id = connector.ensure(self.spec)
        self._send(connector, pass_time, remote_id, Action.ADD, self.ann)
        assert members(remote_id) == seen([self.ann])

    def test_reading_tells_a_state(self, connector: Connector) -> None:
        """People see it in the report."""
        status = connector.read(connector.ensure(self.spec))
        assert status.state

    def test_the_check_finds_all_well_and_changes_nothing(self, connector: Connector) -> None:
        """A line each, none of them red, on an account where everything works."""
        lines = connector.check()
        assert lines
        assert [line for line in lines if not line.ok] == []

    def test_the_check_reports_expired_credentials_instead_of_raising(
        self, connector: Connector, strike: Strike
    ) -> None:
        """``cohortd check`` shows every line it can."""
        strike("check", Trouble.TOKEN_EXPIRED)
        failed = [line for line in connector.check() if not line.ok]
        assert failed
        assert all(line.cure for line in failed)

    def test_every_trouble_is_one_of_ours_and_shows_no_secret(
        self, connector: Connector, strike: Strike, pass_time: Elapse
    ) -> None:
        """No digest, token or URL, not even in the printed traceback."""
        remote_id = connector.ensure(self.spec)
        errors: list[SyncError | None] = []
        for trouble, action in itertools.product(set(Trouble) - self.impossible, Action):
            strike("add" if action is Action.ADD else "remove", trouble)
            errors.append(error_of(partial(connector.apply, batch_of(remote_id, action, self.ann))))
            pass_time(POLL_EVERY_S)
        unknown = batch_of(self.unknown_remote_id, Action.ADD, self.ann)
        errors.append(error_of(partial(connector.apply, unknown)))
        for error in errors:
            assert_discreet(error, self.secrets)

    def test_expired_credentials_stop_the_destination(self, connector: Connector, strike: Strike) -> None:
        """Nothing else there can succeed either."""
        remote_id = connector.ensure(self.spec)
        strike("remove", Trouble.TOKEN_EXPIRED)
        error = error_of(lambda: connector.apply(batch_of(remote_id, Action.REMOVE, self.ann)))
        assert isinstance(error, FatalError)
        assert error.scope == "destination"
        assert error.cure

    def test_a_quota_says_when_to_come_back(self, connector: Connector, strike: Strike) -> None:
        """Calls while limited prolong the limit."""
        remote_id = connector.ensure(self.spec)
        strike("add", Trouble.QUOTA)
        error = error_of(lambda: connector.apply(batch_of(remote_id, Action.ADD, self.ann)))
        assert isinstance(error, RetryableError)
        assert error.after_s

    def test_troubles_end_in_the_right_members_after_retrying(
        self, connector: Connector, members: Inspector, strike: Strike, pass_time: Elapse
    ) -> None:
        """Whatever went wrong on the way."""
        patient = insisting(connector, pass_time)
        remote_id = patient.ensure(self.spec)
        for trouble in (Trouble.UNAVAILABLE, Trouble.ANSWER_LOST, Trouble.QUOTA, Trouble.HALF_APPLIED):
            strike("add", trouble)
            self._send(patient, pass_time, remote_id, Action.ADD, self.ann, self.bob)
            assert members(remote_id) == seen([self.ann, self.bob]), trouble
            strike("remove", trouble)
            self._send(patient, pass_time, remote_id, Action.REMOVE, self.ann, self.bob)
            assert members(remote_id) == frozenset(), trouble

    def _send(
        self, connector: Connector, pass_time: Elapse, remote_id: str, action: Action, *members: Member
    ) -> Receipt:
        return settle(connector, connector.apply(batch_of(remote_id, action, *members)), pass_time)
