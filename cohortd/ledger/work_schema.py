"""The tables of what was done: runs, and what each job did last."""

from sqlalchemy import Column

from cohortd.ledger.columns import TEXT, number, table, words

run = table(
    "run",
    Column("id", TEXT, primary_key=True, nullable=False),
    words("kind"),
    words("as_of"),
    words("started_at"),
    words("finished_at", null=True),
    words("status"),
    words("summary"),
    #: In which order they began.
    number("number", default=0),
)
#: What each job of the daemon did last, by name.
job = table(
    "job",
    Column("name", TEXT, primary_key=True, nullable=False),
    words("started_at"),
    words("finished_at", null=True),
    words("outcome"),
    #: Why it failed, or where it has been stuck, for people.
    words("detail"),
    #: How often in a row its process ended before it did.
    number("cut_off", default=0),
)
