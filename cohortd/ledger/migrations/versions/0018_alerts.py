"""What people were told of what needs them, and channels that fail."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("channel", TEXT, primary_key=True, nullable=False),
        sa.Column("key", TEXT, primary_key=True, nullable=False),
        *(_words(name) for name in ("subject", "detail", "since", "told_at", "gone_at")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alert_channel",
        sa.Column("name", TEXT, primary_key=True, nullable=False),
        _words("failed_since"),
        sa.Column("tries", INTEGER, server_default=sa.text("0"), nullable=False),
        _words("next_at"),
        _words("reason"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, server_default=sa.text("''"), nullable=False)
