"""Model versions, the names of segments, and which assignment was applied last."""

import json
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

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


class Models:
    """Model versions by number; the newest one is in force."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, version: ModelVersion, *, next_segment_number: int, at: datetime) -> ModelVersion:
        """Keep a new version; its id is assigned here, whatever it was."""
        with self._database.write() as connection:
            newest = connection.exec_driver_sql(
                "SELECT coalesce(max(id), 0) FROM model_version"
            ).scalar_one()
            saved = replace(version, id=newest + 1)
            connection.exec_driver_sql(
                "INSERT INTO model_version (id, created_at, next_segment_number, body) VALUES (?, ?, ?, ?)",
                (saved.id, format_time(at), next_segment_number, encode(saved)),
            )
        return saved

    def current(self) -> ModelVersion | None:
        """Return the version in force."""
        with self._database.read() as connection:
            body = connection.exec_driver_sql(
                "SELECT body FROM model_version ORDER BY id DESC LIMIT 1"
            ).scalar()
        return decode(body) if body is not None else None

    def get(self, version_id: int) -> ModelVersion | None:
        """Return one version."""
        with self._database.read() as connection:
            body = connection.exec_driver_sql(
                "SELECT body FROM model_version WHERE id = ?", (version_id,)
            ).scalar()
        return decode(body) if body is not None else None

    def next_segment_number(self) -> int:
        """Return the first number that no segment ever had."""
        with self._database.read() as connection:
            newest = connection.exec_driver_sql(
                "SELECT max(next_segment_number) FROM model_version"
            ).scalar()
        return newest if newest is not None else 1

    def rename(self, segment_id: str, name: str, description: str) -> None:
        """Give a segment of the version in force a name of people's choice.

        Raises:
            LedgerError: The version in force has no such segment.
        """
        with self._database.write() as connection:
            row = connection.exec_driver_sql(
                "SELECT id, body FROM model_version ORDER BY id DESC LIMIT 1"
            ).first()
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

    def assignment(self) -> Path | None:
        """Return the file of the last applied assignment."""
        with self._database.read() as connection:
            path = connection.exec_driver_sql("SELECT path FROM assignment").scalar()
        return Path(path) if path is not None else None

    def set_assignment(self, path: Path, *, run_id: str, at: datetime) -> None:
        """Point to the assignment that was applied."""
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO assignment (id, path, run_id, at) VALUES (1, ?, ?, ?) ON CONFLICT (id)"
                " DO UPDATE SET path = excluded.path, run_id = excluded.run_id, at = excluded.at",
                (str(path), run_id, format_time(at)),
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
    )
