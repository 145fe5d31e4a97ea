"""Removals that a resync of their remote audience carries out."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.add_column("batch", sa.Column("by_resync", INTEGER, server_default=sa.text("0"), nullable=False))
