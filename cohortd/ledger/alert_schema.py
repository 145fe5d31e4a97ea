"""The tables of alerts: what people were told, and by which channel that fails."""

from sqlalchemy import Column

from cohortd.ledger.columns import TEXT, number, table, words

#: What is told by a channel or was, until its recovery is told.
alert = table(
    "alert",
    Column("channel", TEXT, primary_key=True, nullable=False),
    Column("key", TEXT, primary_key=True, nullable=False),
    words("subject"),
    words("detail"),
    words("since"),
    #: When it was told last, and when it was first seen to be over; empty where neither.
    words("told_at"),
    words("gone_at"),
    rowid=False,
)
#: Channels that do not take messages; a row goes with the first that is taken.
alert_channel = table(
    "alert_channel",
    Column("name", TEXT, primary_key=True, nullable=False),
    words("failed_since"),
    number("tries", default=0),
    words("next_at"),
    words("reason"),
    rowid=False,
)
