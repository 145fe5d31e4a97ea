"""By what an audience is known as this ledger's, and which ones are not."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("installation", sa.Column("code", TEXT, server_default=sa.text("''"), nullable=False))
    op.add_column("destination", sa.Column("leftovers", TEXT, server_default=sa.text("''"), nullable=False))
    if op.get_bind().dialect.name == "sqlite":  # no ledger in PostgreSQL is as old as that
        op.execute("UPDATE installation SET code = lower(hex(randomblob(4)))")
