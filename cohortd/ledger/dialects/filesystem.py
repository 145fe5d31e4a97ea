"""Where the ledger may lie: a write-ahead log and file locks need a local file system."""

from pathlib import Path
from typing import Final

from cohortd.core.errors import LedgerError

NETWORK_TYPES: Final = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "beegfs", "lustre"),
        *("9p", "gpfs", "orangefs", "gfs2", "ocfs2"),
    )
)
NETWORK_FUSE: Final = frozenset(
    f"fuse.{name}"
    for name in (
        *("sshfs", "s3fs", "gcsfuse", "glusterfs", "rclone", "blobfuse", "blobfuse2", "ceph", "ceph-fuse"),
        *("goofys", "juicefs", "mountpoint-s3", "mount-s3", "davfs", "moosefs", "seaweedfs"),
    )
)


def refuse_network(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> None:
    """Refuse a folder on a network file system, where that can be seen.

    Raises:
        LedgerError: The folder is on one.
    """
    kind = kind_of_file_system(folder, mounts)
    if is_network(kind):
        raise LedgerError(
            f"{folder} is on a network file system ({kind}), where SQLite's log and locks do not hold;"
            " put the ledger on a local disk or block volume"
        )


def is_network(kind: str) -> bool:
    """Tell whether a type of file system is on another machine."""
    return kind in NETWORK_TYPES | NETWORK_FUSE


def kind_of_file_system(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Name the type of the file system that holds *folder*; empty where nothing tells."""
    folder = folder.resolve()
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    found, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        point = Path(left.split()[4].replace("\\040", " "))
        depth = len(point.parts)
        if folder.is_relative_to(point) and depth >= found:
            found, kind = depth, right.split()[0]
    return kind
