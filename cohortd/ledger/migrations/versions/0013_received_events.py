"""Consent events that were received, by their digests alone."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "received_event",
        sa.Column("id", INTEGER, primary_key=True),
        sa.Column("source", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("event", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("received_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("fault", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("subjects", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("seen", INTEGER, server_default=sa.text("0"), nullable=False),
        sqlite_strict=True,
    )
    op.create_index("received_event_once", "received_event", ["source", "event", "body"], unique=True)
    op.create_index(
        "received_event_parked",
        "received_event",
        ["id"],
        sqlite_where=sa.text("fault != ''"),
        postgresql_where=sa.text("fault != ''"),
    )
