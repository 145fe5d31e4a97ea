"""The clock of each removal, what its entries tell of the record they rest on, and the tree of them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for name in ("received_at", "due_at", "operator"):
        _add("withdrawal", name)
    _add("removal_log", "schema_version", INTEGER, "1")
    for name in ("record_id", "regulation", "legal_basis", "purpose", "rule", "evidence"):
        _add("removal_log", name)
    for name in ("received_at", "due_at", "on_time"):
        _add("removal_log", name)
    _add("removal_log", "attempts", INTEGER, "0")
    for name in ("request", "operator"):
        _add("removal_log", name)
    for name in ("root", "peaks"):
        _add("removal_head", name)


def _add(table: str, name: str, kind: sa.types.TypeEngine[Any] = TEXT, default: str = "''") -> None:
    op.add_column(table, sa.Column(name, kind, server_default=sa.text(default), nullable=False))
