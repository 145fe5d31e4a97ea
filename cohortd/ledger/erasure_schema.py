"""The table of erasures: which were asked for, and what came of each."""

from sqlalchemy import Column, ForeignKey

from cohortd.ledger.columns import INTEGER, TEXT, table, words

#: Under a random id, so that a row by itself names nobody once it is finished.
erasure = table(
    "erasure",
    Column("id", TEXT, primary_key=True, nullable=False),
    #: The consent record that took everything back; NULL once it is finished.
    Column("withdrawal", INTEGER, ForeignKey("withdrawal.id"), nullable=True),
    words("asked_at"),
    words("finished_at", null=True),
    #: JSON: where the person had been sent, as it was known at the end.
    words("recipients"),
    #: JSON: what went at the end -> how much of it.
    words("erased"),
)
