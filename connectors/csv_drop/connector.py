"""Files for upload by hand, behind the Connector protocol.

For whoever may not, or not yet, let a program into the ad account. What the pipeline calls confirmed
is that a file was written for good; no platform has said anything, and every receipt and status says so.

Limits: Google and Meta serve no audience below 100 people; Google forgets a member 540 days after the
last add; a file holds 100,000 members, some 20 MB.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from cohortd.core.delivery import (
    GONE,
    AccessCheck,
    AccountStatus,
    Action,
    Batch,
    BatchState,
    Flag,
    Limits,
    Marked,
    Receipt,
    RemoteSpec,
    RemoteStatus,
)
from cohortd.core.errors import GoneError, RejectedError, SyncError
from cohortd.core.identifiers import Family
from cohortd.core.removals import BY_HAND
from cohortd.core.times import Clock, format_time, now_utc
from connectors.access import failed
from connectors.csv_drop import keeping
from connectors.csv_drop.disk import Disk
from connectors.csv_drop.errors import disk_errors
from connectors.csv_drop.home import UPLOADED, Home, Kind
from connectors.csv_drop.options import CsvDropOptions
from connectors.csv_drop.templates import TEMPLATES, table_of

log = structlog.get_logger()

ROWS_PER_FILE: Final = 100_000
_MINIMUM_SERVED: Final = 100
_GOOGLE_FORGETS_DAYS: Final = 540
_NO_CELLS: Final = "nothing of this person fits the template"
_REMOTE_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_LONGEST_SLUG: Final = 40


class CsvDropConnector:
    """A folder of files in one platform's form."""

    def __init__(
        self, options: CsvDropOptions, *, clock: Clock = now_utc, disk: Disk | None = None
    ) -> None:
        """Do no I/O.

        Args:
            options: Where to, and in whose form.
            clock: Now.
            disk: Another file system, for tests.
        """
        self._options = options
        self._template = TEMPLATES[options.template]
        self._clock = clock
        self._disk = disk or Disk()

    @property
    def platform(self) -> str:
        """The platform's name in the settings."""
        return "csv_drop"

    @property
    def limits(self) -> Limits:
        """Those of the platform whose template it is."""
        is_google = self._options.template is Family.GOOGLE
        return Limits(
            family=self._options.template,
            rows_per_batch=ROWS_PER_FILE,
            minimum_size=_MINIMUM_SERVED,
            forgets_after_days=_GOOGLE_FORGETS_DAYS if is_google else None,
            overlapping_batches=True,
        )

    def ensure(self, spec: RemoteSpec) -> str:
        """Find the audience's folder by its marker, else make one; return its name."""
        with disk_errors():
            self._disk.make(self._options.folder)
            for home, about in self._homes():
                if about.get("marker") == spec.marker:
                    self._reopen(home, about)
                    return home.path.name
            return self._create(spec)

    def marked(self) -> list[Marked]:
        """List the audiences that are in use."""
        with disk_errors():
            if not self._options.folder.exists():
                return []
            return [
                Marked(home.path.name, str(about.get("name", "")), str(about.get("marker", "")))
                for home, about in self._homes()
                if not about.get("retired")
            ]

    def apply(self, batch: Batch) -> Receipt:
        """Write a batch as the next numbered file of its audience."""
        if len(batch.members) > ROWS_PER_FILE:
            raise RejectedError(f"a file holds at most {ROWS_PER_FILE:,} members")
        table = table_of(self._template, batch.members)
        absent = dict.fromkeys(table.absent, _NO_CELLS) if batch.action is Action.ADD else {}
        with self._changing(batch.remote_id) as (home, about):
            if batch.action is Action.REMOVE:
                home.withdraw(table.rows)
            if not table.rows:
                # Nothing of them was ever written, so to take them back there is nothing to do.
                return Receipt(BatchState.REJECTED if absent else BatchState.CONFIRMED, rejected=absent)
            step = home.append(
                Kind(batch.action.value),
                table.rows,
                members=len(batch.members) - len(table.absent),
                about=about,
                now=self._clock(),
            )
        return Receipt(
            BatchState.CONFIRMED,
            request=step.stem,
            rejected=absent,
            handed=f"written to {step.stem}.csv {BY_HAND}",
        )

    def poll(self, request: str) -> Receipt:
        """What was written stays written."""
        return Receipt(BatchState.CONFIRMED, request=request)

    def read(self, remote_id: str) -> RemoteStatus:
        """Say what waits to be uploaded; deletes, on the way, what was kept long enough."""
        try:
            with self._changing(remote_id) as (home, about):
                return keeping.status_of(
                    home,
                    now=self._clock(),
                    keep_days=self._options.keep_days,
                    retired=bool(about.get("retired")),
                )
        except GoneError:
            return RemoteStatus(state=GONE, usable=False, flags=(Flag.GONE,))

    def account(self) -> AccountStatus:
        """Nobody here knows what the platform says."""
        return AccountStatus()

    def rename(self, remote_id: str, name: str) -> None:
        """Ask whoever uploads to give the audience another name."""
        with self._changing(remote_id) as (home, about):
            if about.get("name") == name:
                return
            changed = {**about, "name": name}
            home.append(Kind.RENAME, (), members=0, about=about, now=self._clock(), becomes=name)
            home.describe(changed)

    def retire(self, remote_id: str) -> None:
        """Ask whoever uploads to close the audience."""
        try:
            with self._changing(remote_id) as (home, about):
                if about.get("retired"):
                    return
                home.append(Kind.RETIRE, (), members=0, about=about, now=self._clock())
                home.describe({**about, "retired": True})
        except GoneError:
            log.info("remote_audience_found_gone", platform=self.platform, remote_id=remote_id)

    def check(self) -> list[AccessCheck]:
        """See whether files can be written, and say what confirmed means here."""
        subject = f"folder {self._options.folder}"
        try:
            with disk_errors():
                self._disk.probe(self._options.folder)
        except SyncError as error:
            return [failed(subject, error)]
        detail = (
            f"can be written; {self._template.platform} has what is in it only once somebody uploads the"
            f" files, in their order; files are deleted after {self._options.keep_days} days"
        )
        return [AccessCheck(subject, ok=True, detail=detail)]

    def close(self) -> None:
        """Nothing is open between calls."""

    @contextmanager
    def _changing(self, remote_id: str) -> Iterator[tuple[Home, dict[str, object]]]:
        """An audience's folder, locked and tidied, and what it says of itself.

        Raises:
            GoneError: There is no such audience.
        """
        path = self._options.folder / remote_id
        with disk_errors():
            self._disk.names(self._options.folder)  # one that is not mounted has lost no audience
            home = Home(self._disk, path, self._template)
            if not _REMOTE_ID.fullmatch(remote_id) or home.about() is None:
                raise GoneError(
                    f"there is no audience {remote_id} in the destination's folder",
                    cure="Put its folder back, or have it made anew by cohortd audiences --renew.",
                    scope="audience",
                )
            with self._disk.locked(path):
                self._disk.make(path / UPLOADED)
                keeping.tidy(home, now=self._clock(), keep_days=self._options.keep_days)
                yield home, home.about() or {}

    def _homes(self) -> Iterator[tuple[Home, dict[str, object]]]:
        for name in self._disk.names(self._options.folder):
            home = Home(self._disk, self._options.folder / name, self._template)
            about = home.about() if _REMOTE_ID.fullmatch(name) and home.path.is_dir() else None
            if about is not None:
                yield home, about

    def _create(self, spec: RemoteSpec) -> str:
        # From the marker alone, so that one whose making broke off is gone on with.
        code = hashlib.sha256(spec.marker.encode()).hexdigest()[:12]
        slug = re.sub(r"[^a-z0-9]+", "-", spec.name.lower()).strip("-")[:_LONGEST_SLUG].strip("-")
        home = Home(self._disk, self._options.folder / f"{slug or 'audience'}-{code}", self._template)
        self._disk.make(home.path)
        self._disk.make(home.path / UPLOADED)
        about: dict[str, object] = {
            "name": spec.name,
            "description": spec.description,
            "platform": self._template.platform,
            "membership_days": spec.membership_days,
            "marker": spec.marker,
            "made_at": format_time(self._clock()),
            "retired": False,
        }
        home.describe(about)
        log.info(
            "remote_audience_created",
            platform=self.platform,
            audience=spec.audience,
            remote_id=home.path.name,
        )
        return home.path.name

    def _reopen(self, home: Home, about: dict[str, object]) -> None:
        if about.get("retired"):
            with self._disk.locked(home.path):
                home.append(Kind.REOPEN, (), members=0, about=about, now=self._clock())
                home.describe({**about, "retired": False})
