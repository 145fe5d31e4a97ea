"""What is wrong with a PostgreSQL database that holds a ledger, as far as one who uses it can see."""

from typing import Final

from sqlalchemy import Connection

#: What must hold for an answer of the server to mean that something is kept.
_DURABLE: Final = ("fsync", "full_page_writes")
_INVALID: Final = """
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND n.nspname = current_schema()
"""
_CHECKSUMS: Final = """
    SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()
"""


def server_faults(connection: Connection) -> list[str]:
    """Say what of the server's settings and findings must not be."""
    faults = [
        f"{name} is off: what the server confirms may be lost when power fails"
        for name in _DURABLE
        if connection.exec_driver_sql(f"SHOW {name}").scalar_one() == "off"
    ]
    invalid = connection.exec_driver_sql(_INVALID).scalars().all()
    faults += [f"the index {name} is invalid: REINDEX INDEX {name}" for name in invalid]
    failures = connection.exec_driver_sql(_CHECKSUMS).scalar() or 0
    if failures:
        faults.append(f"the server read {failures:,} pages whose checksum was wrong: its disk fails")
    return faults


def server_time(connection: Connection) -> float:
    """Read the server's clock; seconds since 1970."""
    asked = "SELECT extract(epoch FROM clock_timestamp())"
    return float(connection.exec_driver_sql(asked).scalar_one())
