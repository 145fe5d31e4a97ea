"""Model versions, the names of segments, and which assignment was applied last."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from cohortd.core.errors import LedgerError
from cohortd.core.modelling import (
    CentroidModel,
    LineageEvent,
    ModelVersion,
    Part,
    PreparedFeature,
    Segment,
)
from cohortd.core.times import format_time, parse_time
from cohortd.ledger.database import Database

_IN_FORCE = "SELECT id, body FROM model_version WHERE model = ? AND held_back = '' ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """One model version of the history."""

    version: ModelVersion
    #: Why it did not come into force, a sentence; empty for all that did.
    held_back: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The assignment that was applied last."""

    #: The name of its file: a ledger that is copied or moved keeps to its own folder.
    file: str
    #: The version under which all of it was applied last; 0 while none was.
    model_version: int


class Models:
    """Model versions by number, never changed but for names; the newest not held back is in force.

    Those of one model: the main one, whose name is empty, or one beside it. Numbers are shared.
    """

    def __init__(self, database: Database, model: str = "") -> None:
        self._database = database
        self._model = model

    @property
    def model(self) -> str:
        """The model whose versions these are; empty for the main one."""
        return self._model

    def of(self, model: str) -> "Models":
        """Return the versions of another model."""
        return Models(self._database, model)

    def save(
        self,
        version: ModelVersion,
        *,
        next_segment_number: int,
        at: datetime,
        held_back: str = "",
        follows: int | None = None,
    ) -> ModelVersion:
        """Keep a new version; its id is assigned here, whatever it was.

        Args:
            version: What to keep.
            next_segment_number: The first number that none of its segments has; it never goes back.
            at: Now.
            held_back: Why it does not come into force, if it does not.
            follows: The version in force from which it was made, 0 for none; None for any.

        Raises:
            LedgerError: Meanwhile another version came into force.
        """
        with self._database.write() as connection:
            _refuse_overtaken(connection, self._model, follows)
            newest = connection.exec_driver_sql(
                "SELECT coalesce(max(id), 0) AS id, coalesce(max(CASE WHEN model = ?"
                " THEN next_segment_number END), 1) AS number FROM model_version",
                (self._model,),
            ).one()
            saved = replace(version, id=newest.id + 1)
            connection.exec_driver_sql(
                "INSERT INTO model_version (id, created_at, next_segment_number, body, held_back, model)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    saved.id,
                    format_time(at),
                    max(next_segment_number, newest.number),
                    encode(saved),
                    held_back,
                    self._model,
                ),
            )
        return saved

    def current(self) -> ModelVersion | None:
        """Return the version in force."""
        with self._database.read() as connection:
            row = connection.exec_driver_sql(_IN_FORCE, (self._model,)).first()
        return decode(row.body) if row is not None else None

    def waiting(self) -> KeptVersion | None:
        """Return the version that was held back last, unless another came into force since."""
        newest = next(iter(self.history(limit=1)), None)
        return newest if newest is not None and newest.held_back else None

    def history(self, *, limit: int) -> Sequence[KeptVersion]:
        """Return the newest versions, newest first, those held back included."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT body, held_back FROM model_version WHERE model = ? ORDER BY id DESC LIMIT ?",
                (self._model, limit),
            ).all()
        return [KeptVersion(decode(row.body), row.held_back) for row in rows]

    def after(self, version_id: int) -> Sequence[ModelVersion]:
        """Return the versions that came into force after one, oldest first."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT body FROM model_version WHERE model = ? AND id > ? AND held_back = '' ORDER BY id",
                (self._model, version_id),
            ).all()
        return [decode(row.body) for row in rows]

    def before(self, version_id: int) -> ModelVersion | None:
        """Return the version that was in force before one."""
        with self._database.read() as connection:
            body = connection.exec_driver_sql(
                "SELECT body FROM model_version WHERE model = ? AND id < ? AND held_back = ''"
                " ORDER BY id DESC LIMIT 1",
                (self._model, version_id),
            ).scalar()
        return decode(body) if body is not None else None

    def get(self, version_id: int) -> ModelVersion | None:
        """Return one version, whether it ever was in force or not."""
        kept = self.kept(version_id)
        return kept.version if kept is not None else None

    def kept(self, version_id: int) -> KeptVersion | None:
        """Return one version, and why it did not come into force if it did not."""
        with self._database.read() as connection:
            row = connection.exec_driver_sql(
                "SELECT body, held_back FROM model_version WHERE model = ? AND id = ?",
                (self._model, version_id),
            ).first()
        return KeptVersion(decode(row.body), row.held_back) if row is not None else None

    def next_segment_number(self) -> int:
        """Return the first number that no segment ever had, of versions held back neither."""
        with self._database.read() as connection:
            newest = connection.exec_driver_sql(
                "SELECT max(next_segment_number) FROM model_version WHERE model = ?", (self._model,)
            ).scalar()
        return newest if newest is not None else 1

    def rename(self, segment_id: str, name: str, description: str) -> None:
        """Give a segment of the version in force a name of people's choice.

        Raises:
            LedgerError: The version in force has no such segment.
        """
        with self._database.write() as connection:
            row = connection.exec_driver_sql(_IN_FORCE, (self._model,)).first()
            version = decode(row.body) if row is not None else None
            known = [segment.id for segment in version.segments] if version is not None else []
            if row is None or version is None or segment_id not in known:
                raise LedgerError(
                    f"there is no segment {segment_id}; there are {', '.join(known) or 'none yet'}"
                )
            segments = tuple(
                replace(s, name=name, description=description) if s.id == segment_id else s
                for s in version.segments
            )
            connection.exec_driver_sql(
                "UPDATE model_version SET body = ? WHERE id = ?",
                (encode(replace(version, segments=segments)), row.id),
            )

    def assignment(self) -> str | None:
        """Return the name of the last applied assignment's file."""
        applied = self.applied()
        return applied.file if applied is not None else None

    def applied(self) -> Applied | None:
        """Return the last applied assignment, None while none was."""
        with self._database.read() as connection:
            row = connection.exec_driver_sql(
                "SELECT path, model_version FROM model_assignment WHERE model = ?", (self._model,)
            ).first()
        # Older rows hold a whole path.
        return Applied(Path(row.path).name, row.model_version) if row is not None else None

    def set_assignment(
        self, file: str, *, run_id: str, at: datetime, model_version: int | None = None
    ) -> None:
        """Point to the assignment that was applied.

        *model_version* is the one that every audience follows now; None where some still wait for it.
        """
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO model_assignment (model, path, run_id, at, model_version)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (model) DO UPDATE SET path = excluded.path,"
                " run_id = excluded.run_id, at = excluded.at",
                (self._model, file, run_id, format_time(at), 0),
            )
            if model_version is not None:
                connection.exec_driver_sql(
                    "UPDATE model_assignment SET model_version = ? WHERE model = ?",
                    (model_version, self._model),
                )


def _refuse_overtaken(connection: Connection, model: str, follows: int | None) -> None:
    row = connection.exec_driver_sql(_IN_FORCE, (model,)).first()
    now = row.id if row is not None else 0
    if follows is not None and now != follows:
        raise LedgerError(
            f"model version {now} came into force meanwhile, so nothing was changed: look at"
            " cohortd recluster --history, then call it again"
        )


def encode(version: ModelVersion) -> str:
    """Write a version as JSON; floats come back exactly."""
    body = asdict(version)
    body["created_at"] = format_time(version.created_at)
    body["as_of"] = format_time(version.as_of)
    return json.dumps(body, separators=(",", ":"))


def decode(body: str) -> ModelVersion:
    """Read what ``encode`` wrote."""
    values = json.loads(body)
    model = values["centroid_model"]
    return ModelVersion(
        id=values["id"],
        created_at=parse_time(values["created_at"]),
        as_of=parse_time(values["as_of"]),
        reason=values["reason"],
        algorithm=values["algorithm"],
        centroid_model=CentroidModel(
            features=tuple(PreparedFeature(**feature) for feature in model["features"]),
            centroids=tuple(tuple(row) for row in model["centroids"]),
            segment_ids=tuple(model["segment_ids"]),
            margin=model["margin"],
            parts=tuple(
                Part(
                    part["segment"],
                    tuple(part["center"]),
                    tuple(tuple(axis) for axis in part["axes"]),
                    part["offset"],
                )
                for part in model.get("parts", ())
            ),
            soft=model.get("soft", False),
        ),
        segments=tuple(Segment(**segment) for segment in values["segments"]),
        lineage=tuple(LineageEvent(**line) for line in values["lineage"]),
        quality=values["quality"],
        restores=values.get("restores", 0),
    )
