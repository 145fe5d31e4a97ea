"""The settings as a whole."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.alerts import Alerts
from config.anomalies import SourceAnomaly
from config.audiences import Audiences
from config.backups import Backup
from config.base import Share, Strict, place
from config.consent import Consent
from config.countries import check_country
from config.database import check_database, place_database
from config.destinations import CsvDrop, Destination
from config.logs import Level, LogFormat, Room
from config.models import Models
from config.monitoring import Monitoring
from config.receiver import Receiver
from config.removal_log import RemovalLog
from config.reports import Reports
from config.schedule import Schedule
from config.segmentation import Segmentation
from config.sources import Sources

Country = Annotated[str, AfterValidator(check_country)]


class Engine(Strict):
    """Where the data is aggregated."""

    kind: Literal["duckdb", "spark"] = Field(
        default="duckdb", description="`duckdb`, on this machine. `spark` is not there yet and is refused."
    )
    master: str | None = Field(default=None, description="For Spark, once it is there.")
    memory_limit: str | None = Field(
        default=None,
        pattern=r"^\d+(\.\d+)?\s*(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$",
        description="Most memory, such as `4GB`.",
    )
    threads: int | None = Field(default=None, ge=1, description="Most threads; left out, one a core.")

    @model_validator(mode="after")
    def _check_master(self) -> Self:
        if (self.kind == "spark") != (self.master is not None):
            raise ValueError("master and kind: spark come together")
        return self


class Identity(Strict):
    """How contact fields are read."""

    default_region: Country | None = Field(
        default=None,
        description="Country of phone numbers without one, such as `US`; null: those are left out.",
    )


class Guards(Strict):
    """How much may change before a run stops and waits for approval."""

    removed_share: Share = Field(
        default=0.2, ge=0, le=1, description="Share of an audience that may leave at once."
    )
    moved_share: Share = Field(
        default=0.3, ge=0, le=1, description="Share of customers that may change segment at once."
    )
    source_drop: Share = Field(
        default=0.3, ge=0, le=1, description="Share by which a source may have shrunk."
    )
    bad_rows: Share = Field(
        default=0.1, ge=0, le=1, description="Share of a source's rows that may be unreadable."
    )
    null_share: Share = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Share of a source's rows that may have lost a column's value since the last sync.",
    )
    audience_drop: Share | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share by which an audience may shrink, those who come set against those who leave;"
        " left out, only `removed_share` counts.",
    )
    first_size: int | None = Field(
        default=None,
        ge=0,
        description="Members that may be sent to a destination that has none yet; left out, any number.",
    )
    source_anomaly: SourceAnomaly | None = Field(
        default_factory=SourceAnomaly,
        description="Columns that went constant, changed units, repeated rows, clocks that jumped;"
        " null: not looked for.",
    )


class Settings(BaseSettings):
    """Everything that can be set, from the file, the environment and the secret files."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(default=Path("var"), description="Where cohortd keeps its own files.")
    log_level: Level = Field(default="info", description="How much is logged.")
    log_levels: dict[Room, Level] = Field(
        default={},
        description="The same by room, where one differs: `{ledger: debug, connectors: warning}`; a line"
        " names its `room`, and `vendors` are all libraries.",
    )
    log_format: LogFormat = Field(
        default="auto",
        description="How lines look: `json`, `human`, or by whether standard error is a terminal.",
    )
    database: SecretStr | None = Field(
        default=None,
        description="The ledger: `sqlite:///FILE`, left out in `data_dir`, or `postgresql://USER:PASSWORD@HOST/DATABASE`.",
    )
    database_file: Path | None = Field(default=None, description="A file that holds `database`.")
    secrets_dir: Path | None = Field(
        default=None, description="A folder of secrets, one a file, named `<destination>_<key>`."
    )
    engine: Engine = Field(default_factory=Engine, description="Where the data is aggregated.")
    sources: Sources = Field(description="The tables of first-party data.")
    segmentation: Segmentation = Field(
        default_factory=Segmentation, description="How customers become segments."
    )
    models: Models = Field(
        default_factory=dict,
        description="Models beside it, by name: `{value: {features: [value_sum, order_count], k: 4}}`;"
        " their segments are known as `value-s1`.",
    )
    audiences: Audiences = Field(default_factory=Audiences, description="Which segments become audiences.")
    identity: Identity = Field(default_factory=Identity, description="How contact fields are read.")
    consent: Consent = Field(default_factory=Consent, description="What counts as consent.")
    destinations: tuple[Destination, ...] = Field(
        default=(), description="The advertising accounts that are kept true; none sends nothing."
    )
    schedule: Schedule = Field(default_factory=Schedule, description="When the daemon does what.")
    guards: Guards = Field(default_factory=Guards, description="How much may change unasked.")
    removal_log: RemovalLog = Field(
        default_factory=RemovalLog, description="Where the removal log's signed heads are kept besides."
    )
    reports: Reports = Field(default_factory=Reports, description="What is written for people.")
    backup: Backup | None = Field(
        default=None, description="Copies of the state that the daemon makes; left out, it makes none."
    )
    alerts: Alerts | None = Field(
        default=None, description="Tells people what needs them; left out, nobody is told."
    )
    receiver: Receiver | None = Field(
        default=None, description="Takes consent events by HTTP; left out, nothing listens."
    )

    monitoring: Monitoring = Field(
        default_factory=Monitoring, description="What others may see of the daemon."
    )

    @property
    def database_url(self) -> str:
        """Where the ledger is, with its password: never print it."""
        if self.database is None:
            return f"sqlite:///{self.data_dir / 'cohortd.db'}"
        return self.database.get_secret_value()

    def anchored(self, folder: Path) -> Self:
        """Copy with every relative path taken from *folder*."""
        changes: dict[str, object] = {
            "data_dir": place(self.data_dir, folder),
            "sources": self.sources.anchored(folder),
            "removal_log": self.removal_log.anchored(folder),
            "backup": self.backup and self.backup.anchored(folder),
            "alerts": None if self.alerts is None else self.alerts.anchored(folder),
            "destinations": tuple(destination.anchored(folder) for destination in self.destinations),
        }
        for name in ("database_file", "secrets_dir"):
            path = getattr(self, name)
            changes[name] = None if path is None else place(path, folder)
        if self.database is not None:
            changes["database"] = SecretStr(place_database(self.database.get_secret_value(), folder))
        return self.model_copy(update=changes)

    @field_validator("database")
    @classmethod
    def _check_database(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            check_database(url.get_secret_value())
        return url

    @field_validator("destinations")
    @classmethod
    def _check_names(cls, destinations: tuple[Destination, ...]) -> tuple[Destination, ...]:
        names = [destination.name for destination in destinations]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each name may stand once; twice: {', '.join(twice)}")
        _refuse_shared_accounts(destinations)
        return destinations

    @model_validator(mode="after")
    def _check_limits(self) -> Self:
        least = self.audiences.minimum_size
        for each in self.destinations:
            if each.member_limit is not None and each.member_limit < least:
                raise ValueError(
                    f"{each.name}: member_limit ({each.member_limit:,}) is below"
                    f" audiences.minimum_size ({least:,}), so that no audience could be filled"
                )
        return self

    @model_validator(mode="before")
    @classmethod
    def _inherit_membership(cls, value: object) -> object:
        return inherit_membership(value) if isinstance(value, dict) else value


def _refuse_shared_accounts(destinations: tuple[Destination, ...]) -> None:
    """Two destinations of one account would send everybody there twice."""
    taken: dict[tuple[str, str], str] = {}
    for each in destinations:
        other = taken.setdefault((each.platform, each.place), each.name)
        if other != each.name:
            what = "folder" if isinstance(each, CsvDrop) else "account"
            raise ValueError(
                f"{other} and {each.name} are the same {each.platform} {what}: keep one of them"
            )


def inherit_membership(raw: Mapping[str, object]) -> dict[str, object]:
    """Give Google destinations that say nothing of their own the audiences' ``membership_days``."""
    audiences, destinations = raw.get("audiences"), raw.get("destinations")
    days = audiences.get("membership_days") if isinstance(audiences, dict) else None
    if days is None or not isinstance(destinations, list):
        return dict(raw)
    return {**raw, "destinations": [_with_days(destination, days) for destination in destinations]}


def _with_days(destination: object, days: object) -> object:
    if not isinstance(destination, dict) or not str(destination.get("platform")).startswith("google"):
        return destination
    return {"membership_days": days, **destination}
