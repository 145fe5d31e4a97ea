"""Whether an older copy of the ledger was put back, and in which batches somebody waits."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("installation", sa.Column("put_back_at", TEXT, nullable=True))
    op.add_column("installation", sa.Column("asserted_at", TEXT, nullable=True))
    op.create_index("batch_item_member", "batch_item", ["member"])
