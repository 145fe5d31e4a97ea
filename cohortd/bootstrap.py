"""The one place that turns settings into wired objects."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import config
from cohortd.accounts import Shared, clock_address, family_of, open_destinations
from cohortd.alerts import open_channels
from cohortd.audiences import audience_policy
from cohortd.core.apart import run_apart, run_here
from cohortd.core.consenting import ConsentStatus
from cohortd.core.deadlines import Deadlines
from cohortd.core.errors import SettingsError
from cohortd.core.observing import UNOBSERVED, Observer
from cohortd.core.owning import refuse_root
from cohortd.core.redaction import Redactor
from cohortd.core.times import Clock, now_utc
from cohortd.features import attributes_of, context_numbers, place_attribute, vocabulary_of
from cohortd.ledger import Ledger
from cohortd.logs import set_up_logs
from cohortd.models import beside, segmentation
from cohortd.pipeline.alert_policy import AlertPolicy
from cohortd.pipeline.anomalies import AnomalyLimits
from cohortd.pipeline.wiring import (
    BackupPolicy,
    GuardLimits,
    HeadsPolicy,
    IdentityPolicy,
    Pipeline,
    Progress,
    Sources,
    silent,
)
from cohortd.receivers import status_lines
from cohortd.sources import TableSource
from cohortd.timetables import turns_of
from config.cron import longest_wait
from config.destinations import OnlineAccount
from config.removal_log import RemovalLog
from config.settings import Settings
from config.sources import Source
from consent import ChainSealer, ConsentRules

if TYPE_CHECKING:
    from pydantic import SecretStr

    from cohortd.engine import Engine


def load_settings(option: str | None) -> Settings:
    """Find and read the settings file.

    Raises:
        SettingsError: There is none, or something in it is wrong.
    """
    return config.load(config.find_file(option, os.environ))


def start_logs(settings: Settings) -> None:
    """Let log lines be as the settings have them."""
    set_up_logs(
        settings.log_level,
        levels=dict(settings.log_levels),
        form=settings.log_format,
        spared=_account_ids(settings),
    )


def _account_ids(settings: Settings) -> frozenset[str]:
    """Ids that may be shown, as settings and platforms write them: digits that are nobody's phone."""
    ids = {each.account for each in settings.destinations}
    ids |= {getattr(each, "login_account_id", None) or "" for each in settings.destinations}
    return frozenset(ids | {each.removeprefix("act_") for each in ids})


def exposed_secrets(option: str | None) -> str:
    """Say whether others on this machine can read secrets in the settings file; empty where not."""
    return config.exposed(config.find_file(option, os.environ))


def example_settings() -> str:
    """Write the annotated example."""
    return config.example()


def endpoint_ports(settings: Settings) -> dict[str, int]:
    """Find the ports of loopback endpoints: ``grpc``, else the platform's name -> port."""
    ports: dict[str, int] = {}
    for account in settings.destinations:
        if not isinstance(account, OnlineAccount) or not account.is_local:
            continue
        url = urlsplit(account.endpoint or "")
        if url.port:
            ports["grpc" if url.scheme == "grpc" else account.platform] = url.port
    return ports


def clock_addresses(settings: Settings) -> dict[str, str]:
    """Find where each destination's platform tells the time by HTTP: name -> address."""
    asked = {each.name: clock_address(each) for each in settings.destinations}
    return {name: address for name, address in asked.items() if address is not None}


@contextmanager
def open_pipeline(
    settings: Settings,
    *,
    progress: Progress = silent,
    clock: Clock = now_utc,
    stop: threading.Event | None = None,
    observer: Observer = UNOBSERVED,
    computes_apart: bool = False,
) -> Iterator[Pipeline]:
    """Open the ledger and wire every room; closed again at the end.

    Args:
        computes_apart: Whether features, models and plots are made in processes that end with the run: this
            one stays, and would keep what they took.
    """
    stop = stop or threading.Event()
    make_private(settings.data_dir)
    sealer = ChainSealer(settings.data_dir / "keys" / "removal-log.pem")
    with ExitStack() as stack:
        ledger = stack.enter_context(
            Ledger.open(
                settings.database_url,
                sealer=sealer,
                state_dir=settings.data_dir,
                deadlines=Deadlines(settings.consent.due, settings.consent.due_soon),
            )
        )
        for account in settings.destinations:
            ledger.remotes.refuse_moved(
                account.name, platform=account.platform, account=account.account, family=family_of(account)
            )
        shared = Shared(clock, ledger.request_counts, stop, observer.trace)
        destinations = stack.enter_context(open_destinations(settings.destinations, shared))
        yield Pipeline(
            data_dir=settings.data_dir,
            ledger=ledger,
            engine=lambda workdir: _engine(settings, workdir, is_apart=computes_apart),
            sources=_sources(settings),
            destinations=destinations,
            segmentation=segmentation(settings),
            models={name: segmentation(each) for name, each in beside(settings).items()},
            audiences=audience_policy(settings),
            identity=IdentityPolicy(settings.identity.default_region, settings.sources.customers.hashed),
            consent=_consent_rules(settings),
            guards=_guards(settings),
            log_key=sealer.public_key,
            plots=settings.reports.plots,
            reconcile_every=longest_wait(settings.schedule.reconciliation),
            heads=_heads_policy(settings.removal_log),
            turns=turns_of(settings.schedule, without=_idle_jobs(settings)),
            backups=_backup_policy(settings),
            pages_kept_for=settings.reports.keep,
            alerts=_alert_policy(settings),
            clock=clock,
            stop=stop,
            progress=progress,
            observer=observer,
            draw=run_apart if computes_apart else run_here,
        )


def _consent_rules(settings: Settings) -> ConsentRules:
    given = settings.consent
    return ConsentRules(
        purpose=given.purpose.lower(),
        default={code: ConsentStatus(status) for code, status in given.default.items()},
        max_age=given.max_age,
        legal_bases=frozenset(given.legal_bases),
        two_step=frozenset(given.two_step),
    )


def _idle_jobs(settings: Settings) -> list[str]:
    """Jobs for which the settings give nothing to do."""
    given = {"reconciliation": settings.sources.consent_export, "backup": settings.backup}
    return [job for job, what in given.items() if what is None]


def _backup_policy(settings: Settings) -> BackupPolicy | None:
    kept = settings.backup
    return None if kept is None else BackupPolicy(kept.to, kept.keep)


def _alert_policy(settings: Settings) -> AlertPolicy:
    given, listens = settings.alerts, partial(status_lines, settings.receiver)
    if given is None:
        return AlertPolicy(more=listens)
    redactor = Redactor(_account_ids(settings))
    return AlertPolicy(
        channels=open_channels((url.get_secret_value() for url in given.urls), redactor=redactor),
        repeat_after=given.repeat_after,
        sync_silent_for=given.sync_silent_for,
        events_stale_after=given.events_stale_after,
        consent_stale_after=given.consent_stale_after,
        more=listens,
    )


def _heads_policy(kept: RemovalLog) -> HeadsPolicy:
    return HeadsPolicy(kept.heads_to, kept.every, kept.timestamp_url or "", kept.timestamp_certificate)


def make_private(folder: Path) -> None:
    """Make the folder of the state, for its user alone.

    Raises:
        SettingsError: It cannot be made, or belongs to another user than root, who we are.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(f"data_dir: cannot make {folder}: {error.strerror}") from None
    refuse_root(folder)


def _engine(settings: Settings, workdir: Path, *, is_apart: bool) -> "Engine":
    from cohortd.engine import connect  # noqa: PLC0415 - loads libraries of data, for those who ask

    engine = settings.engine
    return connect(
        engine.kind,
        workdir,
        memory_limit=engine.memory_limit,
        threads=engine.threads,
        vocabulary=vocabulary_of(settings),
        is_apart=is_apart,
    )


def _sources(settings: Settings) -> Sources:
    tables = settings.sources
    return Sources(
        customers=_table("customers", tables.customers, attributes=_read_attributes(settings)),
        events=_table("events", tables.events) if tables.events is not None else None,
        consent=_table("consent", tables.consent) if tables.consent is not None else None,
        consent_drop=_table("consent_drop", tables.consent_drop) if tables.consent_drop else None,
        consent_export=_table("consent_export", tables.consent_export) if tables.consent_export else None,
        context=None
        if tables.context is None
        else _table("context", tables.context, attributes=context_numbers(settings)),
    )


def _table(name: str, source: Source, *, attributes: tuple[str, ...] = ()) -> TableSource:
    return TableSource(
        name=name,
        path=source.path,
        format=source.format,
        url=_reveal(source.url),
        query=source.query,
        columns=source.mapping,
        attributes=attributes,
        hashed=source.hashed,
        separator=source.separator,
    )


def _read_attributes(settings: Settings) -> tuple[str, ...]:
    """Attributes that features or people's own rules ask for, and the one that holds a place."""
    ruled = (name for rule in audience_policy(settings).rules for name in rule.condition.attributes)
    asked = (name for each in (settings, *beside(settings).values()) for name in attributes_of(each))
    return tuple(dict.fromkeys((*asked, *place_attribute(settings), *ruled)))


def _guards(settings: Settings) -> GuardLimits:
    anomaly = settings.guards.source_anomaly
    return GuardLimits(
        **settings.guards.model_dump(exclude={"source_anomaly"}),
        source_anomaly=AnomalyLimits(**anomaly.model_dump()) if anomaly is not None else None,
    )


def _reveal(secret: "SecretStr | None") -> str | None:
    return secret.get_secret_value() if secret is not None else None
