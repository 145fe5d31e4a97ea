"""On what a consent record rests, and whether its second step was done."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column(
        "consent_record", sa.Column("legal_basis", TEXT, server_default=sa.text("''"), nullable=False)
    )
    op.add_column(
        "consent_record", sa.Column("confirmed", INTEGER, server_default=sa.text("0"), nullable=False)
    )
