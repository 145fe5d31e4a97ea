"""By what an audience is known as this ledger's, and which ones are not."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "installation", sa.Column("code", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.add_column(
        "destination", sa.Column("leftovers", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.execute("UPDATE installation SET code = lower(hex(randomblob(4)))")
