"""The ledger's tables; ``migrations`` makes them, a test proves that both say the same."""

from typing import Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData()
#: Ids and Unix seconds outgrow PostgreSQL's own INTEGER; SQLite's holds them.
INTEGER: Final = Integer().with_variant(BigInteger(), "postgresql")
#: Times and names sort by their bytes, whatever a database's language is.
TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")

_Part: TypeAlias = Column[int] | Column[str] | Column[bytes] | CheckConstraint


def _table(name: str, *parts: _Part, rowid: bool = True) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=rowid)


def _number(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    return Column(
        name, INTEGER, nullable=null, server_default=None if default is None else text(str(default))
    )


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, TEXT, nullable=null, server_default=None if null else text("''"))


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _index_some(name: str, *columns: Column[int] | Column[str], where: str, unique: bool = False) -> None:
    """Index the rows of a condition."""
    Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def _id(name: str = "id") -> Column[int]:
    return Column(name, INTEGER, primary_key=True)


#: One row each: who we are, who leads.
installation = _table(
    "installation",
    _id(),
    _bytes("secret"),
    _text("created_at"),
    #: By which a remote audience is known as this ledger's; random, no secret.
    _text("code"),
    #: When it came to light that an older copy was put back, and when everybody who had revoked was
    #: asked to be taken off everywhere for it.
    _text("put_back_at", null=True),
    _text("asserted_at", null=True),
    #: The rules of normalization, 0 for none yet, and since when they replace older ones.
    _number("normalization", default=0),
    _number("normalized_since", default=0),
    CheckConstraint("id = 1"),
)
leader = _table("leader", _id(), _number("epoch", default=0), CheckConstraint("id = 1"))

run = _table(
    "run",
    Column("id", TEXT, primary_key=True, nullable=False),
    _text("kind"),
    _text("as_of"),
    _text("started_at"),
    _text("finished_at", null=True),
    _text("status"),
    _text("summary"),
    #: In which order they began.
    _number("number", default=0),
)
model_version = _table(
    "model_version",
    _id(),
    _text("created_at"),
    _number("next_segment_number"),
    _text("body"),
    #: Why it did not come into force, a sentence; empty for all that did.
    _text("held_back"),
    #: Of which model; empty for the main one.
    _text("model"),
)
#: The assignment that was applied last, of each model; the main one has no name.
model_assignment = _table(
    "model_assignment",
    Column("model", TEXT, primary_key=True, nullable=False),
    _text("path"),
    _text("run_id"),
    _text("at"),
    #: Under which version all of it was applied; 0 while none was.
    _number("model_version", default=0),
)

#: What keeps a destination from being sent to, by name.
destination = _table(
    "destination",
    Column("name", TEXT, primary_key=True, nullable=False),
    _text("paused_reason"),
    _text("paused_cure"),
    _text("paused_at", null=True),
    _text("blocked_until", null=True),
    #: Remote audiences there that another ledger made, in a sentence.
    _text("leftovers"),
)
#: One row a target; a remote audience that was replaced stays as a superseded row, since people
#: may still be on it.
remote = _table(
    "remote",
    _id(),
    _text("audience"),
    _text("destination"),
    _text("family"),
    _text("platform"),
    _text("account"),
    _text("remote_id", null=True),
    _text("name"),
    _text("state"),
    _text("status", null=True),
    _text("checked_at", null=True),
    _text("note"),
    _text("created_at"),
    _number("superseded", default=0),
    #: What the platform said it recognized of the last upload.
    _text("match_rate"),
)
_index_some("remote_target", remote.c.audience, remote.c.destination, where="superseded = 0", unique=True)

#: What a platform said of a remote audience, when (Unix seconds), and how many the ledger held there.
reading = _table(
    "reading",
    Column("remote", INTEGER, primary_key=True, nullable=False),
    Column("at", INTEGER, primary_key=True, nullable=False),
    _text("status"),
    _number("confirmed", default=0),
    _number("held", default=0),
    rowid=False,
)

#: What may be on a platform: one row an identifier and remote audience. Times are Unix seconds.
membership = _table(
    "membership",
    Column("remote", INTEGER, primary_key=True, nullable=False),
    Column("kind", INTEGER, primary_key=True, nullable=False),
    Column("digest", LargeBinary, primary_key=True, nullable=False),
    _bytes("member"),
    _bytes("payload"),
    _number("state"),
    _number("batch"),
    _number("added_at"),
    _number("sent_at"),
    _number("version"),
    #: Whether the platform may hold it although the last answer was a refusal.
    _number("doubt", default=0),
    _text("reason", null=True),
    rowid=False,
)
Index("membership_member", membership.c.member)

past_membership = _table(
    "past_membership",
    _id(),
    _number("remote"),
    _number("kind"),
    _bytes("digest"),
    _bytes("member"),
    _number("added_at"),
    _number("removed_at"),
    _number("added_batch"),
    _number("removed_batch"),
)
Index("past_membership_member", past_membership.c.member)
Index("past_membership_digest", past_membership.c.digest)

#: Who else carries an identifier whose membership row names another member.
co_owner = _table(
    "co_owner",
    Column("family", TEXT, primary_key=True, nullable=False),
    Column("kind", INTEGER, primary_key=True, nullable=False),
    Column("digest", LargeBinary, primary_key=True, nullable=False),
    Column("member", LargeBinary, primary_key=True, nullable=False),
    rowid=False,
)
Index("co_owner_member", co_owner.c.member)

batch = _table(
    "batch",
    _id(),
    Column("remote", INTEGER, ForeignKey("remote.id"), nullable=False),
    _text("action"),
    _text("lane"),
    _text("state"),
    #: Whether it only repeats members before the platform forgets them.
    _number("refresh", default=0),
    _number("attempts", default=0),
    _number("polls", default=0),
    #: How many batches before it were refused for the same removal.
    _number("refusals", default=0),
    _number("rows"),
    _number("version", default=0),
    _text("created_at"),
    _text("next_at"),
    _number("epoch", default=0),
    _text("request"),
    _text("accepted_at", null=True),
    _text("settled_at", null=True),
    _text("note"),
    #: JSON: members done, and the platform's reason -> members it did not take.
    _text("result"),
    #: Whether the audience's resync takes these members out; by name only where there is none.
    _number("by_resync", default=0),
)
_index_some(
    "batch_open", batch.c.remote, batch.c.state, where="state IN ('pending', 'sending', 'accepted')"
)
_index_some("batch_settled", batch.c.settled_at, where="settled_at IS NOT NULL")

#: The identifiers of open batches; those of one position are one row on the wire.
batch_item = _table(
    "batch_item",
    Column("batch", INTEGER, primary_key=True, nullable=False),
    Column("kind", INTEGER, primary_key=True, nullable=False),
    Column("digest", LargeBinary, primary_key=True, nullable=False),
    Column("position", INTEGER, primary_key=True, nullable=False),
    _bytes("member"),
    _bytes("payload"),
    #: Was sent by an attempt whose outcome is unknown, and is left out since a revocation.
    _number("dropped", default=0),
    #: The withdrawal it answers; NULL in regular batches.
    _number("withdrawal", null=True),
    rowid=False,
)
Index("batch_item_member", batch_item.c.member)
_index_some("batch_item_withdrawal", batch_item.c.withdrawal, where="withdrawal IS NOT NULL")

consent_record = _table(
    "consent_record",
    _id(),
    Column("content", LargeBinary, nullable=False, unique=True),
    _text("subject_kind"),
    _text("subject"),
    _text("status"),
    _text("recorded_at"),
    _text("purpose"),
    _text("platform"),
    _text("regulation"),
    _text("source"),
    _text("evidence"),
    _text("received_at"),
    #: Whether the statement bore no time: ``recorded_at`` is then when it first reached us.
    _number("untimed", default=0),
    #: Of such a statement, whether the consent table no longer makes it: made again, it counts anew.
    _number("absent", default=0),
    _text("legal_basis"),
    #: Whether the second step of a grant was done.
    _number("confirmed", default=0),
)
_index_some("consent_record_untimed", consent_record.c.absent, where="untimed = 1")
consent_subject = _table(
    "consent_subject",
    Column("subject_kind", TEXT, primary_key=True, nullable=False),
    Column("key", LargeBinary, primary_key=True, nullable=False),
    Column("record", INTEGER, primary_key=True, nullable=False),
    rowid=False,
)
#: A consent record that withdrew; its id is the record's.
withdrawal = _table(
    "withdrawal",
    Column("id", INTEGER, ForeignKey("consent_record.id"), primary_key=True),
    _text("subject_ref"),
    _text("cause"),
    _text("withdrawn_at"),
    _text("lifted_at", null=True),
    #: When it reached us, and by when its removals must be confirmed; blank where it has no clock.
    _text("received_at"),
    _text("due_at"),
    #: Who asked for it by hand.
    _text("operator"),
)
Index("withdrawal_subject", withdrawal.c.subject_ref)

#: Who must not be added: an identifier, or a member (kind 0). Lifted, never deleted.
suppression = _table(
    "suppression",
    Column("family", TEXT, primary_key=True, nullable=False),
    Column("kind", INTEGER, primary_key=True, nullable=False),
    Column("key", LargeBinary, primary_key=True, nullable=False),
    Column("withdrawal", INTEGER, ForeignKey("withdrawal.id"), primary_key=True, nullable=False),
    #: Whether the record named this very contact field.
    _number("named", default=0),
    _text("withdrawn_at"),
    _text("lifted_at", null=True),
    rowid=False,
)
Index("suppression_withdrawal", suppression.c.withdrawal)

#: Remote audiences that are to forget whom they were not sent since a moment; until it is confirmed.
resync = _table(
    "resync",
    Column("remote", INTEGER, primary_key=True, nullable=False),
    _text("since"),
    #: What to ask the platform by, once it was told to forget.
    _text("request"),
    _text("next_at"),
    _number("polls", default=0),
    #: Where members are replaced part by part: since when, the next part, and behind which member.
    _text("began_at", null=True),
    _number("next_part", default=0),
    _bytes("after"),
    rowid=False,
)

#: Requests made of a platform's quota, by hours since 1970.
request_count = _table(
    "request_count",
    Column("quota", TEXT, primary_key=True, nullable=False),
    Column("hour", INTEGER, primary_key=True, nullable=False),
    _number("requests", default=0),
    rowid=False,
)

#: Consent events that came by HTTP: what of them is kept beside their records. Never a body.
received_event = _table(
    "received_event",
    _id(),
    _text("source"),
    #: The event's own id; empty where the body alone says which it is.
    _text("event"),
    #: SHA-256 of the body as it came.
    _bytes("body"),
    _number("size"),
    _text("received_at"),
    #: Why it could not be taken as it is; empty where it was.
    _text("fault"),
    #: Whom it names, as the removal log names them, as JSON.
    _text("subjects"),
    #: Whether a person has looked at it.
    _number("seen", default=0),
)
Index(
    "received_event_once",
    received_event.c.source,
    received_event.c.event,
    received_event.c.body,
    unique=True,
)
_index_some("received_event_parked", received_event.c.id, where="fault != ''")

removal_log = _table(
    "removal_log",
    Column("seq", INTEGER, primary_key=True),
    _text("at"),
    _text("event"),
    _text("subject"),
    #: ``trigger`` is a reserved word.
    _text("cause"),
    _text("source"),
    _text("event_time"),
    _text("audience"),
    _text("destination"),
    _text("platform"),
    _text("account"),
    _text("remote_id"),
    _text("identifier_kinds"),
    _number("batch"),
    _text("detail"),
    _text("previous"),
    _text("hash"),
    #: What the first version of an entry did not have.
    _number("schema_version", default=1),
    _text("record_id"),
    _text("regulation"),
    _text("legal_basis"),
    _text("purpose"),
    _text("rule"),
    _text("evidence"),
    _text("received_at"),
    _text("due_at"),
    _text("on_time"),
    _number("attempts", default=0),
    _text("request"),
    _text("operator"),
)
Index("removal_log_subject", removal_log.c.subject)
removal_head = _table(
    "removal_head",
    _id(),
    _number("seq"),
    _text("hash"),
    _text("signature"),
    #: The Merkle tree of all entries: its root, and its peaks side by side.
    _text("root"),
    _text("peaks"),
    CheckConstraint("id = 1"),
)
