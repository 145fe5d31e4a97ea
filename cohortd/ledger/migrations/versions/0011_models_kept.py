"""Model versions that never came into force, and under which one people were last sent."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column(
        "model_version", sa.Column("held_back", TEXT, server_default=sa.text("''"), nullable=False)
    )
    op.add_column(
        "assignment", sa.Column("model_version", INTEGER, server_default=sa.text("0"), nullable=False)
    )
    # Until now whatever was made came into force, and a sync went by the newest.
    op.execute(
        "UPDATE assignment SET model_version = (SELECT coalesce(max(model_version.id), 0)"
        " FROM model_version WHERE model_version.created_at <= assignment.at)"
    )
