"""The tables of the removal log."""

from sqlalchemy import CheckConstraint, Column, Index

from cohortd.ledger.columns import INTEGER, TEXT, blob, number, row_id, table, words

removal_log = table(
    "removal_log",
    Column("seq", INTEGER, primary_key=True),
    words("at"),
    words("event"),
    words("subject"),
    #: ``trigger`` is a reserved word.
    words("cause"),
    words("source"),
    words("event_time"),
    words("audience"),
    words("destination"),
    words("platform"),
    words("account"),
    words("remote_id"),
    words("identifier_kinds"),
    number("batch"),
    words("detail"),
    words("previous"),
    words("hash"),
    #: What the first version of an entry did not have.
    number("schema_version", default=1),
    words("record_id"),
    words("regulation"),
    words("legal_basis"),
    words("purpose"),
    words("rule"),
    words("evidence"),
    words("received_at"),
    words("due_at"),
    words("on_time"),
    number("attempts", default=0),
    words("request"),
    words("operator"),
)
Index("removal_log_subject", removal_log.c.subject)
removal_head = table(
    "removal_head",
    row_id(),
    number("seq"),
    words("hash"),
    words("signature"),
    #: The Merkle tree of all entries: its root, and its peaks side by side.
    words("root"),
    words("peaks"),
    CheckConstraint("id = 1"),
)
#: A key of each person in the log; without its row nobody can tell whose entries bear the name.
removal_subject = table(
    "removal_subject",
    #: The keyed hash of whom it is, as ``withdrawal`` has it.
    Column("ref", TEXT, primary_key=True, nullable=False),
    #: What the log calls them.
    words("name"),
    blob("key"),
)
Index("removal_subject_name", removal_subject.c.name, unique=True)
