"""Models beside the main one, each with versions and an assignment of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("model_version", sa.Column("model", TEXT, server_default=sa.text("''"), nullable=False))
    op.create_table(
        "model_assignment",
        sa.Column("model", TEXT, primary_key=True, nullable=False),
        sa.Column("path", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("run_id", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("model_version", INTEGER, server_default=sa.text("0"), nullable=False),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO model_assignment (model, path, run_id, at, model_version)"
        " SELECT '', path, run_id, at, model_version FROM assignment"
    )
    op.drop_table("assignment")
