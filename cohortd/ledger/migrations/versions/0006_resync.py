"""Remote audiences that are to forget everybody whom they were not sent since a moment."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "resync",
        sa.Column("remote", INTEGER, primary_key=True, nullable=False),
        sa.Column("since", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("request", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("next_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("polls", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("began_at", TEXT, nullable=True),
        sa.Column("next_part", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("after", sa.LargeBinary(), nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
