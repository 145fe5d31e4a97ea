"""What the daemon's jobs did last."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("name", TEXT, primary_key=True, nullable=False),
        sa.Column("started_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("finished_at", TEXT, nullable=True),
        sa.Column("outcome", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("detail", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("cut_off", INTEGER, server_default=sa.text("0"), nullable=False),
        sqlite_strict=True,
    )
