"""Meta Custom Audiences behind the Connector protocol."""

import secrets
import threading
from collections import Counter
from collections.abc import Callable

import structlog

from cohortd.core.delivery import (
    AccessCheck,
    AccountStatus,
    Action,
    Batch,
    BatchState,
    Content,
    Hold,
    Lane,
    Limits,
    Marked,
    Part,
    Receipt,
    RemoteSpec,
    RemoteStatus,
)
from cohortd.core.errors import RejectedError, RetryableError
from cohortd.core.identifiers import Family, IdentifierKind
from cohortd.core.times import Clock, now_utc
from connectors.meta import audiences, replacing
from connectors.meta.access import accepts_terms, access_lines
from connectors.meta.answers import INVALID, Verdict, judge
from connectors.meta.client import GraphClient, Wait
from connectors.meta.errors import AudienceGoneError
from connectors.meta.forms import payload_of
from connectors.meta.options import MetaOptions
from connectors.meta.rows import Upload, upload_of

log = structlog.get_logger()

#: Rows of one request, by Meta's reference of /users.
ROWS_PER_REQUEST = 10_000
#: Meta serves no audience with fewer people matched.
MINIMUM_SIZE = 100

_NO_IDENTIFIER = "no identifier that Meta takes"
_TAKEN = "Meta works changes in within 24 hours"


def _random_session_id() -> int:
    """A positive 63-bit number; Meta wants one never used in the ad account before."""
    return secrets.randbelow(2**63 - 1) + 1


class MetaConnector:
    """One ad account at Meta.

    Every request is an upload session of its own, begun and ended by it: a resent batch is never
    taken for a part of a session that is over, and nothing waits for a last batch that was lost.
    """

    def __init__(
        self,
        options: MetaOptions,
        *,
        clock: Clock = now_utc,
        wait: Wait | None = None,
        session_id: Callable[[], int] = _random_session_id,
    ) -> None:
        self._options = options
        self._client = GraphClient(options, clock=clock, wait=wait or threading.Event().wait)
        self._session_id = session_id

    @property
    def platform(self) -> str:
        """``meta``."""
        return "meta"

    @property
    def limits(self) -> Limits:
        """Meta's limits; members are forgotten only under ``retention_days``."""
        return Limits(
            family=Family.META,
            rows_per_batch=ROWS_PER_REQUEST,
            minimum_size=MINIMUM_SIZE,
            forgets_after_days=self._options.retention_days,
            overlapping_batches=True,
        )

    def hold(self, *, urgent: bool) -> Hold | None:
        """Tell until when Meta is to be left alone, by its own headers."""
        return self._client.hold(urgent=urgent)

    def used_share(self) -> float:
        """Tell how much of Meta's allowance was used at its last answer."""
        return self._client.used_share()

    def ensure(self, spec: RemoteSpec) -> str:
        """Find the custom audience whose description ends in our marker, else create it."""
        found = audiences.find(self._client, self._options.account, spec)
        return found or self._create(spec)

    def marked(self) -> list[Marked]:
        """List the custom audiences whose description ends in a marker."""
        return audiences.marked(self._client, self._options.account)

    def apply(self, batch: Batch) -> Receipt:
        """Send a batch as one request, or a few where people have many identifiers."""
        upload = upload_of(batch.members)
        rows_of_member = Counter(upload.owners)
        verdict, sessions = Verdict(), []
        for chunk in upload.chunks(ROWS_PER_REQUEST):
            session_id = self._session_id()
            judge(self._send(batch, chunk, session_id), chunk, verdict)
            sessions.append(str(session_id))
        without_rows = {n: _NO_IDENTIFIER for n in range(len(batch.members)) if n not in rows_of_member}
        rejected = without_rows | verdict.rejected(rows_of_member)
        left_out = verdict.left_out(rows_of_member)
        all_refused = bool(batch.members) and len(rejected) == len(batch.members)
        # A removal of which some row, nobody knows which, was left out is no removal: it is sent again.
        refused = all_refused or (left_out and batch.action is Action.REMOVE)
        return Receipt(
            BatchState.REJECTED if refused else BatchState.CONFIRMED,
            request=",".join(sessions),
            rejected=rejected,
            unattributed={INVALID: left_out} if left_out else {},
            note="" if refused else _TAKEN,
        )

    def poll(self, request: str) -> Receipt:
        """Meta's answer to an upload is final: what was asked about is done."""
        return Receipt(BatchState.CONFIRMED, request=request, note=_TAKEN)

    def read(self, remote_id: str) -> RemoteStatus:
        """Read the approximate size, both of Meta's states, and what people may have changed."""
        return audiences.read(self._client, self._options.account, remote_id)

    def account(self) -> AccountStatus:
        """Read whether the Custom Audience terms are accepted."""
        return AccountStatus(terms=accepts_terms(self._client, self._options.account))

    def rename(self, remote_id: str, name: str) -> None:
        """Change the name alone: the description holds our marker."""
        audiences.change(self._client, remote_id, {"name": name})

    def retire(self, remote_id: str) -> None:
        """Take our marker off and rename it; deleting it for good is left to a person.

        Meta knows no closed audience, and a deleted one would stop every ad that uses it.
        """
        try:
            node = self._client.call("GET", remote_id, params={"fields": "id,name,description"})
            changes = audiences.retired(node)
            if changes:
                audiences.change(self._client, remote_id, changes)
        except AudienceGoneError:
            log.info("remote_audience_found_gone", platform=self.platform, remote_id=remote_id)

    @property
    def replaceable(self) -> frozenset[IdentifierKind]:
        """All that can be matched but the external id."""
        return replacing.REPLACEABLE

    def replace(self, content: Content) -> Receipt:
        """Replace the members, in a session of its own."""
        return replacing.replace(
            self._client, content, session_id=self._session_id(), rows_per_request=ROWS_PER_REQUEST
        )

    def new_session(self) -> str:
        """A number never used in the ad account before."""
        return str(self._session_id())

    def replace_part(self, part: Part) -> Receipt:
        """Send one batch of a session."""
        return replacing.replace_part(self._client, part)

    def delete(self, remote_id: str) -> None:
        """Delete the custom audience; every ad that uses it stops."""
        audiences.demand_done(self._client.call("DELETE", remote_id), remote_id)

    def check(self) -> list[AccessCheck]:
        """Read the account, its terms, the permissions and the audiences; writing shows only in writing."""
        return access_lines(self._client, self._options.account)

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def _create(self, spec: RemoteSpec) -> str:
        params: dict[str, object] = {
            "name": spec.name,
            "subtype": "CUSTOM",
            "description": audiences.described(spec),
            "customer_file_source": self._options.customer_file_source,
        }
        if self._options.retention_days is not None:
            params["retention_days"] = self._options.retention_days
        made: dict[str, object] = {}
        refusal: RejectedError | None = None
        try:
            made = self._client.call("POST", self._options.account, "customaudiences", params=params)
        except RejectedError as error:
            refusal = error
        if refusal is not None:  # asked outside, so that no error is the context of another
            raise audiences.full(self._client, self._options.account, spec, refusal) or refusal
        if not isinstance(made.get("id"), str):
            raise RetryableError("Meta made an audience without saying its id")
        log.info(
            "remote_audience_created", platform=self.platform, audience=spec.audience, remote_id=made["id"]
        )
        return str(made["id"])

    def _send(self, batch: Batch, upload: Upload, session_id: int) -> dict[str, object]:
        params: dict[str, object] = {
            "payload": payload_of(upload.schema, upload.data),
            "session": {
                "session_id": session_id,
                "batch_seq": 1,
                "last_batch_flag": True,
                "estimated_num_total": len(upload.data),
            },
        }
        if batch.action is Action.REMOVE:
            # A DELETE would carry the rows in its URL and die of 300 of them.
            params["method"] = "delete"
        answer = self._client.call(
            "POST",
            batch.remote_id,
            "users",
            params=params,
            is_regular=batch.lane is Lane.REGULAR,
            private=(cell for row in upload.data for cell in row),
        )
        log.debug(
            "rows_sent", platform=self.platform, batch=batch.id, action=batch.action, rows=len(upload.data)
        )
        return answer
