"""The daemon: jobs by the schedule, one leader, a clean end."""

from cohortd.daemon.serving import serve
from cohortd.daemon.work import Work

__all__ = ["Work", "serve"]
