"""Requests that were made of a platform's quota, by the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "request_count",
        sa.Column("quota", TEXT, primary_key=True, nullable=False),
        sa.Column("hour", INTEGER, primary_key=True, nullable=False),
        sa.Column("requests", INTEGER, server_default=sa.text("0"), nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
