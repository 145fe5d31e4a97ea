"""Where the tables of first-party data come from."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from cohortd.core.tables import (
    CONSENT_SUBJECT_FIELDS,
    CONSENT_TEXT_FIELDS,
    CONTACT_FIELDS,
    EVENT_NUMBER_FIELDS,
    EVENT_TEXT_FIELDS,
)
from config.base import Strict, nearest, place
from config.database import place_database

#: An attribute may not look this much like one of our names: it is a typing mistake, and would
#: carry a contact field into the features.
_TOO_CLOSE = 0.8
_NUMBER_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Column(Strict):
    """One of their columns, where its name alone does not say enough."""

    column: str = Field(min_length=1, description="The column's name in the file or the query.")
    hashed: bool = Field(
        default=False,
        description="It holds SHA-256 already (contact fields only) and is sent as it is.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return {"column": value} if isinstance(value, str) else value


class Source(Strict):
    """One table: a file, a folder or pattern of files, or a SQL query."""

    required: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    hashable: ClassVar[tuple[str, ...]] = ()

    path: str | None = Field(
        default=None,
        description="A file, a folder or a pattern such as `events/*.parquet`; also `s3://`, `gs://` or `abfs://`.",
    )
    url: SecretStr | None = Field(
        default=None,
        description="A database, as SQLAlchemy writes it: `sqlite:///shop.db`; its driver must be there.",
    )
    url_file: Path | None = Field(default=None, description="A file that holds `url`.")
    query: str | None = Field(default=None, description="The SQL query that gives the table; needs `url`.")
    format: Literal["csv", "parquet", "json"] | None = Field(
        default=None, description="What the files are; left out, their endings say it."
    )
    columns: dict[str, Column] | None = Field(
        default=None,
        description=(
            "Our name to their column (`email: email_address`), or to `{column: ..., hashed: true}`. "
            "Columns not named here are never read. Left out, the columns that bear our names are."
        ),
    )
    separator: str = Field(
        default=";", min_length=1, description="What stands between several e-mails or phones in one cell."
    )

    @property
    def mapping(self) -> dict[str, str] | None:
        """Our name -> their column, the needed ones always; None where nothing is mapped."""
        if self.columns is None:
            return None
        named = {ours: theirs.column for ours, theirs in self.columns.items()}
        return {name: name for name in self.required if name not in named} | named

    @property
    def hashed(self) -> frozenset[str]:
        """Contact fields whose column holds digests already."""
        return frozenset(ours for ours, theirs in (self.columns or {}).items() if theirs.hashed)

    def anchored(self, folder: Path) -> Self:
        """Copy with relative paths taken from *folder*; addresses of object stores stay."""
        placed, changes = super().anchored(folder), dict[str, object]()
        if self.path is not None and "://" not in self.path:
            changes["path"] = str(place(Path(self.path), folder))
        if self.url is not None:
            changes["url"] = SecretStr(place_database(self.url.get_secret_value(), folder))
        return placed.model_copy(update=changes)

    @field_validator("columns")
    @classmethod
    def _check_columns(cls, columns: dict[str, Column] | None) -> dict[str, Column] | None:
        for name, column in (columns or {}).items():
            cls._check_name(name)
            if column.hashed and name not in cls.hashable:
                raise ValueError(f"{name} cannot be hashed: only contact fields can")
        return columns

    @classmethod
    def _check_name(cls, name: str) -> None:
        known = cls.required + cls.optional
        if name not in known:
            meant = nearest(name, known)
            hint = f"did you mean {meant}?" if meant else f"one of {', '.join(known)}"
            raise ValueError(
                f"{name} is none of our names; {hint} (our name comes first, then their column)"
            )

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("must have either path, or url and query")
        if (self.url is None) != (self.query is None):
            raise ValueError("url and query come together")
        return self


class CustomersSource(Source):
    """The customers: who they are and how the platforms may recognise them."""

    required: ClassVar[tuple[str, ...]] = ("customer_id",)
    optional: ClassVar[tuple[str, ...]] = CONTACT_FIELDS
    hashable: ClassVar[tuple[str, ...]] = CONTACT_FIELDS

    @property
    def attributes(self) -> tuple[str, ...]:
        """Mapped names that are none of ours: attributes, which features may use."""
        return tuple(name for name in self.columns or {} if name not in self.required + self.optional)

    @classmethod
    def _check_name(cls, name: str) -> None:
        known = cls.required + cls.optional
        meant = nearest(name, known, cutoff=_TOO_CLOSE)
        if name not in known and meant is not None:
            raise ValueError(
                f"{name} is too close to our name {meant}: use that, or another name for an attribute"
            )


class EventsSource(Source):
    """What customers did: orders, visits, clicks."""

    required: ClassVar[tuple[str, ...]] = ("customer_id", "occurred_at")
    optional: ClassVar[tuple[str, ...]] = (*EVENT_TEXT_FIELDS, *EVENT_NUMBER_FIELDS)


class ConsentSource(Source):
    """What customers agreed to, refused or took back."""

    required: ClassVar[tuple[str, ...]] = ("status", "recorded_at")
    optional: ClassVar[tuple[str, ...]] = (*CONSENT_SUBJECT_FIELDS, *CONSENT_TEXT_FIELDS)
    hashable: ClassVar[tuple[str, ...]] = ("email", "phone")

    @model_validator(mode="after")
    def _check_subject(self) -> Self:
        if self.columns is not None and not set(self.columns) & set(CONSENT_SUBJECT_FIELDS):
            raise ValueError("columns must map one of customer_id, email and phone: whose consent is it?")
        return self


class ConsentDrop(ConsentSource):
    """A folder: every file of consent records that is laid there is taken in once, then moved away."""

    @model_validator(mode="after")
    def _check_folder(self) -> Self:
        if self.path is None or "://" in self.path or set(self.path) & set("*?["):
            raise ValueError("path must be a folder of this machine")
        return self


class ContextSource(Source):
    """What days were like in numbers, one row a day, or a day and place: weather, holidays, prices."""

    required: ClassVar[tuple[str, ...]] = ("date",)
    optional: ClassVar[tuple[str, ...]] = ("place",)

    by_place: str | None = Field(
        default=None,
        description="Context only: which attribute of the customers, or column of the events, holds the"
        " values of `place`; left out, a day is the same for everybody.",
    )

    @property
    def numbers(self) -> tuple[str, ...]:
        """Mapped names that are none of ours: numbers, which features may use."""
        return tuple(name for name in self.columns or {} if name not in self.required + self.optional)

    @classmethod
    def _check_name(cls, name: str) -> None:
        if _NUMBER_NAME.fullmatch(name) is None:
            raise ValueError(f"{name} cannot name a number: use a-z, 0-9 and _")

    @model_validator(mode="after")
    def _check_place_together(self) -> Self:
        if self.columns is not None and ("place" in self.columns) != (self.by_place is not None):
            raise ValueError("place in columns and by_place come together: the one names the other")
        return self


class Sources(Strict):
    """The tables of first-party data."""

    customers: CustomersSource = Field(description="Who the customers are.")
    events: EventsSource | None = Field(
        default=None, description="What they did; without it only attributes can be features."
    )
    consent: ConsentSource | None = Field(
        default=None, description="What they agreed to; without it `consent.default` decides for everybody."
    )
    consent_drop: ConsentDrop | None = Field(
        default=None,
        description="A folder for files of consent records, such as an export; each is taken in once, then"
        " moved to `done` or `failed` below it.",
    )
    consent_export: ConsentSource | None = Field(
        default=None,
        description="The consent platform's whole export, compared with the ledger by"
        " `schedule.reconciliation` and `cohortd consent reconcile` (docs/consent.md).",
    )
    context: ContextSource | None = Field(
        default=None, description="What days and places were like; features may use it (docs/features.md)."
    )

    def tables(self) -> Mapping[str, Source]:
        """Every table that is set, by its name."""
        named = {
            "customers": self.customers,
            "events": self.events,
            "consent": self.consent,
            "context": self.context,
        }
        return {name: table for name, table in named.items() if table is not None}
