"""By which rules of normalization people are sent, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    for name in ("normalization", "normalized_since"):
        op.add_column("installation", sa.Column(name, INTEGER, server_default=sa.text("0"), nullable=False))
