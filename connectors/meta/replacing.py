"""Everybody in a custom audience at once: replaced by ``/usersreplace``, or gone with the audience.

Source: developers.facebook.com/documentation/ads-commerce/marketing-api/audiences/guides/custom-audiences
("Replacing users"): all members are deleted by the first batch, a replacement has 90 minutes, takes no
EXTERN_ID, and no call to /users may be made meanwhile.
"""

from collections import Counter

from cohortd.core.delivery import BatchState, Content, Part, Receipt
from cohortd.core.identifiers import IdentifierKind
from connectors.meta.answers import INVALID, Verdict, judge
from connectors.meta.client import GraphClient
from connectors.meta.rows import Upload, upload_of

#: EXTERN_ID is not among the keys that Meta names for a replacement.
REPLACEABLE = frozenset({IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.MOBILE_AD_ID})


def replace(client: GraphClient, content: Content, *, session_id: int, rows_per_request: int) -> Receipt:
    """Send the content as one session; whoever is not in it is out with its first request."""
    upload = upload_of(content.members)
    chunks = upload.chunks(rows_per_request)
    verdict, sent = Verdict(), 0
    for number, chunk in enumerate(chunks, start=1):
        session: dict[str, object] = {
            "session_id": session_id,
            "batch_seq": number,
            "last_batch_flag": number == len(chunks),
            "estimated_num_total": len(upload.data),
        }
        answer = _send(client, content.remote_id, chunk, session)
        # What Meta says it received counts the whole session.
        judge(answer, chunk, verdict, before=sent)
        sent += len(chunk.data)
    return _receipt(verdict, upload, str(session_id))


def replace_part(client: GraphClient, part: Part) -> Receipt:
    """Send one batch of a session that somebody else keeps count of.

    What Meta says it received counts the whole session, and parts that were sent twice perhaps twice:
    at least it must be all of this one.
    """
    upload = upload_of(part.members)
    session: dict[str, object] = {
        "session_id": int(part.session),
        "batch_seq": part.number,
        "last_batch_flag": part.is_last,
    }
    verdict = Verdict()
    judge(_send(client, part.remote_id, upload, session), upload, verdict)
    return _receipt(verdict, upload, part.session)


def _receipt(verdict: Verdict, upload: Upload, session: str) -> Receipt:
    rows_of_member = Counter(upload.owners)
    left_out = verdict.left_out(rows_of_member)
    return Receipt(
        BatchState.CONFIRMED,
        request=session,
        rejected=verdict.rejected(rows_of_member),
        unattributed={INVALID: left_out} if left_out else {},
    )


def _send(
    client: GraphClient, remote_id: str, upload: Upload, session: dict[str, object]
) -> dict[str, object]:
    payload = {"schema": list(upload.schema), "data": upload.data}
    return client.call(
        "POST",
        remote_id,
        "usersreplace",
        params={"payload": payload, "session": session},
        private=(cell for row in upload.data for cell in row),
    )
