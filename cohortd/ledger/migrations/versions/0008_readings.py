"""What the platforms said of our audiences, over time."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "reading",
        sa.Column("remote", INTEGER, primary_key=True, nullable=False),
        sa.Column("at", INTEGER, primary_key=True, nullable=False),
        sa.Column("status", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("confirmed", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("held", INTEGER, server_default=sa.text("0"), nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.add_column("remote", sa.Column("match_rate", TEXT, server_default=sa.text("''"), nullable=False))
