"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TRIGGER = """
    CREATE TRIGGER removal_log_no_{verb} BEFORE {verb} ON removal_log
    BEGIN SELECT RAISE(ABORT, 'the removal log is append-only'); END
"""


def upgrade() -> None:
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("run_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "batch_item",
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("dropped", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("withdrawal", sa.Integer(), nullable=True),
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
    )
    op.create_table(
        "co_owner",
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("family", "kind", "digest", "member"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("co_owner_member", "co_owner", ["member"], unique=False)
    op.create_table(
        "consent_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("subject_kind", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("subject", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("recorded_at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("purpose", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("platform", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("regulation", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("source", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("evidence", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("received_at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("untimed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("absent", sa.Integer(), server_default=sa.text("0"), nullable=False),
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
    )
    op.create_table(
        "consent_subject",
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("record", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject_kind", "key", "record"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "destination",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused_reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("paused_cure", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("paused_at", sa.Text(), nullable=True),
        sa.Column("blocked_until", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "leader",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "membership",
        sa.Column("remote", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("doubt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("remote", "kind", "digest"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("membership_member", "membership", ["member"], unique=False)
    op.create_table(
        "model_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("next_segment_number", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "past_membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("remote", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.Integer(), nullable=False),
        sa.Column("added_batch", sa.Integer(), nullable=False),
        sa.Column("removed_batch", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("past_membership_digest", "past_membership", ["digest"], unique=False)
    op.create_index("past_membership_member", "past_membership", ["member"], unique=False)
    op.create_table(
        "remote",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("audience", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("destination", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("family", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("platform", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("account", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("superseded", sa.Integer(), server_default=sa.text("0"), nullable=False),
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
    )
    op.create_table(
        "removal_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("signature", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "removal_log",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("event", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("subject", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("cause", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("source", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("event_time", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("audience", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("destination", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("platform", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("account", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("remote_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("identifier_kinds", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("previous", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("hash", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("removal_log_subject", "removal_log", ["subject"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("as_of", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("started_at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("summary", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("remote", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("lane", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("refresh", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("polls", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refusals", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("next_at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("request", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("accepted_at", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("result", sa.Text(), server_default=sa.text("''"), nullable=False),
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
    )
    op.create_index(
        "batch_settled",
        "batch",
        ["settled_at"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NOT NULL"),
    )
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_ref", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("cause", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("withdrawn_at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("lifted_at", sa.Text(), nullable=True),
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
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("withdrawal", sa.Integer(), nullable=False),
        sa.Column("named", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("withdrawn_at", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("lifted_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["withdrawal"],
            ["withdrawal.id"],
        ),
        sa.PrimaryKeyConstraint("family", "kind", "key", "withdrawal"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("suppression_withdrawal", "suppression", ["withdrawal"], unique=False)
    op.execute(_TRIGGER.format(verb="update"))
    op.execute(_TRIGGER.format(verb="delete"))
    op.execute("INSERT INTO leader (id, epoch) VALUES (1, 0)")
