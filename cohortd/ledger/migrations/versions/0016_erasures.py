"""Erasures of people, by a random id."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("withdrawal", INTEGER, sa.ForeignKey("withdrawal.id"), nullable=True),
        sa.Column("asked_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("finished_at", TEXT, nullable=True),
        sa.Column("recipients", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("erased", TEXT, server_default=sa.text("''"), nullable=False),
        sqlite_strict=True,
    )
