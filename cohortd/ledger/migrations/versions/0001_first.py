"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_TRIGGER = """
    CREATE TRIGGER removal_log_no_{verb} BEFORE {verb} ON removal_log
    BEGIN SELECT RAISE(ABORT, 'the removal log is append-only'); END
"""
_POSTGRESQL_FUNCTION = """
    CREATE FUNCTION removal_log_append_only() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''the removal log is append-only''; END'
"""
_POSTGRESQL_TRIGGER = """
    CREATE TRIGGER removal_log_no_{verb} BEFORE {verb} ON removal_log
    FOR EACH STATEMENT EXECUTE FUNCTION removal_log_append_only()
"""


def upgrade() -> None:
    op.create_table(
        "assignment",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("path", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("run_id", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "batch_item",
        sa.Column("batch", INTEGER, nullable=False),
        sa.Column("kind", INTEGER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("dropped", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("withdrawal", INTEGER, nullable=True),
        sa.PrimaryKeyConstraint("batch", "kind", "digest", "position"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "batch_item_withdrawal",
        "batch_item",
        ["withdrawal"],
        unique=False,
        sqlite_where=sa.text("withdrawal IS NOT NULL"),
        postgresql_where=sa.text("withdrawal IS NOT NULL"),
    )
    op.create_table(
        "co_owner",
        sa.Column("family", TEXT, nullable=False),
        sa.Column("kind", INTEGER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("family", "kind", "digest", "member"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("co_owner_member", "co_owner", ["member"], unique=False)
    op.create_table(
        "consent_record",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("subject_kind", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("subject", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("status", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("recorded_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("purpose", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("platform", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("regulation", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("source", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("evidence", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("received_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("untimed", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("absent", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("content"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "consent_record_untimed",
        "consent_record",
        ["absent"],
        unique=False,
        sqlite_where=sa.text("untimed = 1"),
        postgresql_where=sa.text("untimed = 1"),
    )
    op.create_table(
        "consent_subject",
        sa.Column("subject_kind", TEXT, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("record", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("subject_kind", "key", "record"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "destination",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("paused_reason", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("paused_cure", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("paused_at", TEXT, nullable=True),
        sa.Column("blocked_until", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "installation",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "leader",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("epoch", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "membership",
        sa.Column("remote", INTEGER, nullable=False),
        sa.Column("kind", INTEGER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("state", INTEGER, nullable=False),
        sa.Column("batch", INTEGER, nullable=False),
        sa.Column("added_at", INTEGER, nullable=False),
        sa.Column("sent_at", INTEGER, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("doubt", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("remote", "kind", "digest"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("membership_member", "membership", ["member"], unique=False)
    op.create_table(
        "model_version",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("created_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("next_segment_number", INTEGER, nullable=False),
        sa.Column("body", TEXT, server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "past_membership",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("remote", INTEGER, nullable=False),
        sa.Column("kind", INTEGER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", INTEGER, nullable=False),
        sa.Column("removed_at", INTEGER, nullable=False),
        sa.Column("added_batch", INTEGER, nullable=False),
        sa.Column("removed_batch", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("past_membership_digest", "past_membership", ["digest"], unique=False)
    op.create_index("past_membership_member", "past_membership", ["member"], unique=False)
    op.create_table(
        "remote",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("audience", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("destination", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("family", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("platform", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("account", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("remote_id", TEXT, nullable=True),
        sa.Column("name", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("state", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("status", TEXT, nullable=True),
        sa.Column("checked_at", TEXT, nullable=True),
        sa.Column("note", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("superseded", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "remote_target",
        "remote",
        ["audience", "destination"],
        unique=True,
        sqlite_where=sa.text("superseded = 0"),
        postgresql_where=sa.text("superseded = 0"),
    )
    op.create_table(
        "removal_head",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("hash", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("signature", TEXT, server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "removal_log",
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("event", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("subject", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("cause", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("source", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("event_time", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("audience", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("destination", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("platform", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("account", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("remote_id", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("identifier_kinds", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("batch", INTEGER, nullable=False),
        sa.Column("detail", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("previous", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("hash", TEXT, server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("removal_log_subject", "removal_log", ["subject"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("as_of", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("started_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("finished_at", TEXT, nullable=True),
        sa.Column("status", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("summary", TEXT, server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "batch",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("remote", INTEGER, nullable=False),
        sa.Column("action", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("lane", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("state", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("refresh", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("polls", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("refusals", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("rows", INTEGER, nullable=False),
        sa.Column("version", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("next_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("epoch", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("request", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("accepted_at", TEXT, nullable=True),
        sa.Column("settled_at", TEXT, nullable=True),
        sa.Column("note", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("result", TEXT, server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(
            ["remote"],
            ["remote.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "batch_open",
        "batch",
        ["remote", "state"],
        unique=False,
        sqlite_where=sa.text("state IN ('pending', 'sending', 'accepted')"),
        postgresql_where=sa.text("state IN ('pending', 'sending', 'accepted')"),
    )
    op.create_index(
        "batch_settled",
        "batch",
        ["settled_at"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NOT NULL"),
        postgresql_where=sa.text("settled_at IS NOT NULL"),
    )
    op.create_table(
        "withdrawal",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("subject_ref", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("cause", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("withdrawn_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("lifted_at", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["id"],
            ["consent_record.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("withdrawal_subject", "withdrawal", ["subject_ref"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("family", TEXT, nullable=False),
        sa.Column("kind", INTEGER, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("withdrawal", INTEGER, nullable=False),
        sa.Column("named", INTEGER, server_default=sa.text("0"), nullable=False),
        sa.Column("withdrawn_at", TEXT, server_default=sa.text("''"), nullable=False),
        sa.Column("lifted_at", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["withdrawal"],
            ["withdrawal.id"],
        ),
        sa.PrimaryKeyConstraint("family", "kind", "key", "withdrawal"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("suppression_withdrawal", "suppression", ["withdrawal"], unique=False)
    _make_append_only()
    op.execute("INSERT INTO leader (id, epoch) VALUES (1, 0)")


def _make_append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL_FUNCTION)
        for verb in ("update", "delete", "truncate"):
            op.execute(_POSTGRESQL_TRIGGER.format(verb=verb))
    else:
        for verb in ("update", "delete"):
            op.execute(_TRIGGER.format(verb=verb))
