"""The ledger's tables; ``migrations`` makes them, a test proves that both say the same."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary

from cohortd.ledger import log_tables, work_schema
from cohortd.ledger.alert_schema import alert, alert_channel
from cohortd.ledger.columns import INTEGER, TEXT, blob, index_some, metadata, number, row_id, table, words
from cohortd.ledger.erasure_schema import erasure

__all__ = ["alert", "alert_channel", "erasure", "log_tables", "metadata", "work_schema"]

#: One row each: who we are, who leads.
installation = table(
    "installation",
    row_id(),
    blob("secret"),
    words("created_at"),
    #: By which a remote audience is known as this ledger's; random, no secret.
    words("code"),
    #: When it came to light that an older copy was put back, and when everybody who had revoked was
    #: asked to be taken off everywhere for it.
    words("put_back_at", null=True),
    words("asserted_at", null=True),
    #: The rules of normalization, 0 for none yet, and since when they replace older ones.
    number("normalization", default=0),
    number("normalized_since", default=0),
    CheckConstraint("id = 1"),
)
leader = table("leader", row_id(), number("epoch", default=0), CheckConstraint("id = 1"))

model_version = table(
    "model_version",
    row_id(),
    words("created_at"),
    number("next_segment_number"),
    words("body"),
    #: Why it did not come into force, a sentence; empty for all that did.
    words("held_back"),
    #: Of which model; empty for the main one.
    words("model"),
)
#: The assignment that was applied last, of each model; the main one has no name.
model_assignment = table(
    "model_assignment",
    Column("model", TEXT, primary_key=True, nullable=False),
    words("path"),
    words("run_id"),
    words("at"),
    #: Under which version all of it was applied; 0 while none was.
    number("model_version", default=0),
)

#: What keeps a destination from being sent to, by name.
destination = table(
    "destination",
    Column("name", TEXT, primary_key=True, nullable=False),
    words("paused_reason"),
    words("paused_cure"),
    words("paused_at", null=True),
    words("blocked_until", null=True),
    #: Remote audiences there that another ledger made, in a sentence.
    words("leftovers"),
)
#: One row a target; a remote audience that was replaced stays as a superseded row, since people
#: may still be on it.
remote = table(
    "remote",
    row_id(),
    words("audience"),
    words("destination"),
    words("family"),
    words("platform"),
    words("account"),
    words("remote_id", null=True),
    words("name"),
    words("state"),
    words("status", null=True),
    words("checked_at", null=True),
    words("note"),
    words("created_at"),
    number("superseded", default=0),
    #: What the platform said it recognized of the last upload.
    words("match_rate"),
)
index_some("remote_target", remote.c.audience, remote.c.destination, where="superseded = 0", unique=True)

#: What a platform said of a remote audience, when (Unix seconds), and how many the ledger held there.
reading = table(
    "reading",
    Column("remote", INTEGER, primary_key=True, nullable=False),
    Column("at", INTEGER, primary_key=True, nullable=False),
    words("status"),
    number("confirmed", default=0),
    number("held", default=0),
    rowid=False,
)

#: What may be on a platform: one row an identifier and remote audience. Times are Unix seconds.
membership = table(
    "membership",
    Column("remote", INTEGER, primary_key=True, nullable=False),
    Column("kind", INTEGER, primary_key=True, nullable=False),
    Column("digest", LargeBinary, primary_key=True, nullable=False),
    blob("member"),
    blob("payload"),
    number("state"),
    number("batch"),
    number("added_at"),
    number("sent_at"),
    number("version"),
    #: Whether the platform may hold it although the last answer was a refusal.
    number("doubt", default=0),
    words("reason", null=True),
    rowid=False,
)
Index("membership_member", membership.c.member)

past_membership = table(
    "past_membership",
    row_id(),
    number("remote"),
    number("kind"),
    blob("digest"),
    blob("member"),
    number("added_at"),
    number("removed_at"),
    number("added_batch"),
    number("removed_batch"),
)
Index("past_membership_member", past_membership.c.member)
Index("past_membership_digest", past_membership.c.digest)

#: Who else carries an identifier whose membership row names another member.
co_owner = table(
    "co_owner",
    Column("family", TEXT, primary_key=True, nullable=False),
    Column("kind", INTEGER, primary_key=True, nullable=False),
    Column("digest", LargeBinary, primary_key=True, nullable=False),
    Column("member", LargeBinary, primary_key=True, nullable=False),
    rowid=False,
)
Index("co_owner_member", co_owner.c.member)

batch = table(
    "batch",
    row_id(),
    Column("remote", INTEGER, ForeignKey("remote.id"), nullable=False),
    words("action"),
    words("lane"),
    words("state"),
    #: Whether it only repeats members before the platform forgets them.
    number("refresh", default=0),
    number("attempts", default=0),
    number("polls", default=0),
    #: How many batches before it were refused for the same removal.
    number("refusals", default=0),
    number("rows"),
    number("version", default=0),
    words("created_at"),
    words("next_at"),
    number("epoch", default=0),
    words("request"),
    words("accepted_at", null=True),
    words("settled_at", null=True),
    words("note"),
    #: JSON: members done, and the platform's reason -> members it did not take.
    words("result"),
    #: Whether the audience's resync takes these members out; by name only where there is none.
    number("by_resync", default=0),
)
index_some("batch_open", batch.c.remote, batch.c.state, where="state IN ('pending', 'sending', 'accepted')")
index_some("batch_settled", batch.c.settled_at, where="settled_at IS NOT NULL")

#: The identifiers of open batches; those of one position are one row on the wire.
batch_item = table(
    "batch_item",
    Column("batch", INTEGER, primary_key=True, nullable=False),
    Column("kind", INTEGER, primary_key=True, nullable=False),
    Column("digest", LargeBinary, primary_key=True, nullable=False),
    Column("position", INTEGER, primary_key=True, nullable=False),
    blob("member"),
    blob("payload"),
    #: Was sent by an attempt whose outcome is unknown, and is left out since a revocation.
    number("dropped", default=0),
    #: The withdrawal it answers; NULL in regular batches.
    number("withdrawal", null=True),
    rowid=False,
)
Index("batch_item_member", batch_item.c.member)
index_some("batch_item_withdrawal", batch_item.c.withdrawal, where="withdrawal IS NOT NULL")

consent_record = table(
    "consent_record",
    row_id(),
    Column("content", LargeBinary, nullable=False, unique=True),
    words("subject_kind"),
    words("subject"),
    words("status"),
    words("recorded_at"),
    words("purpose"),
    words("platform"),
    words("regulation"),
    words("source"),
    words("evidence"),
    words("received_at"),
    #: Whether the statement bore no time: ``recorded_at`` is then when it first reached us.
    number("untimed", default=0),
    #: Of such a statement, whether the consent table no longer makes it: made again, it counts anew.
    number("absent", default=0),
    words("legal_basis"),
    #: Whether the second step of a grant was done.
    number("confirmed", default=0),
)
index_some("consent_record_untimed", consent_record.c.absent, where="untimed = 1")
consent_subject = table(
    "consent_subject",
    Column("subject_kind", TEXT, primary_key=True, nullable=False),
    Column("key", LargeBinary, primary_key=True, nullable=False),
    Column("record", INTEGER, primary_key=True, nullable=False),
    rowid=False,
)
#: A consent record that withdrew; its id is the record's.
withdrawal = table(
    "withdrawal",
    Column("id", INTEGER, ForeignKey("consent_record.id"), primary_key=True),
    words("subject_ref"),
    words("cause"),
    words("withdrawn_at"),
    words("lifted_at", null=True),
    #: When it reached us, and by when its removals must be confirmed; blank where it has no clock.
    words("received_at"),
    words("due_at"),
    #: Who asked for it by hand.
    words("operator"),
)
Index("withdrawal_subject", withdrawal.c.subject_ref)

#: Who must not be added: an identifier, or a member (kind 0). Lifted, never deleted.
suppression = table(
    "suppression",
    Column("family", TEXT, primary_key=True, nullable=False),
    Column("kind", INTEGER, primary_key=True, nullable=False),
    Column("key", LargeBinary, primary_key=True, nullable=False),
    Column("withdrawal", INTEGER, ForeignKey("withdrawal.id"), primary_key=True, nullable=False),
    #: Whether the record named this very contact field.
    number("named", default=0),
    words("withdrawn_at"),
    words("lifted_at", null=True),
    rowid=False,
)
Index("suppression_withdrawal", suppression.c.withdrawal)

#: Remote audiences that are to forget whom they were not sent since a moment; until it is confirmed.
resync = table(
    "resync",
    Column("remote", INTEGER, primary_key=True, nullable=False),
    words("since"),
    #: What to ask the platform by, once it was told to forget.
    words("request"),
    words("next_at"),
    number("polls", default=0),
    #: Where members are replaced part by part: since when, the next part, and behind which member.
    words("began_at", null=True),
    number("next_part", default=0),
    blob("after"),
    rowid=False,
)

#: Requests made of a platform's quota, by hours since 1970.
request_count = table(
    "request_count",
    Column("quota", TEXT, primary_key=True, nullable=False),
    Column("hour", INTEGER, primary_key=True, nullable=False),
    number("requests", default=0),
    rowid=False,
)

#: Consent events that came by HTTP: what of them is kept beside their records. Never a body.
received_event = table(
    "received_event",
    row_id(),
    words("source"),
    #: The event's own id; empty where the body alone says which it is.
    words("event"),
    #: SHA-256 of the body as it came.
    blob("body"),
    number("size"),
    words("received_at"),
    #: Why it could not be taken as it is; empty where it was.
    words("fault"),
    #: Whom it names, by the references of ``withdrawal``, as JSON.
    words("subjects"),
    #: Whether a person has looked at it.
    number("seen", default=0),
)
Index(
    "received_event_once",
    received_event.c.source,
    received_event.c.event,
    received_event.c.body,
    unique=True,
)
index_some("received_event_parked", received_event.c.id, where="fault != ''")
