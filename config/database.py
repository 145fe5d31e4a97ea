"""The ledger's address."""

from pathlib import Path

from config.base import place

_SQLITE = "sqlite:///"


def check_database(url: str) -> None:
    """Refuse what cannot hold a ledger.

    Raises:
        ValueError: It cannot; the text never repeats the URL, which may hold a password.
    """
    scheme = url.partition("://")[0]
    if scheme in {"postgresql", "postgresql+psycopg"}:
        return
    if scheme != "sqlite":
        raise ValueError("must be sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    name = url.removeprefix(_SQLITE).partition("?")[0]
    if not url.startswith(_SQLITE) or name in {"", ":memory:"}:
        raise ValueError("must name a file, sqlite:///FILE: a ledger in memory would forget what was sent")


def place_database(url: str, folder: Path) -> str:
    """Take a relative SQLite file from *folder*."""
    if not url.startswith(_SQLITE):
        return url
    name, mark, options = url.removeprefix(_SQLITE).partition("?")
    return f"{_SQLITE}{place(Path(name), folder)}{mark}{options}"
