"""A key of each person in the removal log, which can be erased."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "removal_subject",
        sa.Column("ref", TEXT, primary_key=True, nullable=False),
        sa.Column("name", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sqlite_strict=True,
    )
    op.create_index("removal_subject_name", "removal_subject", ["name"], unique=True)
