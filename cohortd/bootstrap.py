"""The one place that turns settings into wired objects."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import config
from clustering import ClusteringPolicy
from cohortd.core.consenting import ConsentStatus
from cohortd.core.errors import SettingsError
from cohortd.core.identifiers import Family
from cohortd.core.times import Clock, now_utc
from cohortd.engine import Engine, catalog, connect, resolve
from cohortd.ledger import Ledger
from cohortd.pipeline.wiring import (
    AudiencePolicy,
    Destination,
    GuardLimits,
    IdentityPolicy,
    Pipeline,
    PollPolicy,
    Progress,
    RemovalRefused,
    Resyncing,
    SegmentationPolicy,
    Sources,
    WhenGone,
    silent,
)
from cohortd.sources import TableSource
from config.destinations import CsvDrop, GoogleAds, GoogleDataManager, Meta, OnlineAccount
from config.destinations import Destination as AnyAccount
from config.settings import Settings
from config.sources import CustomersSource, Source
from connectors.csv_drop import CsvDropConnector, CsvDropOptions
from connectors.deferred import DeferredConnector
from connectors.protocol import Connector
from connectors.retrying import RetryingConnector, RetryPolicy
from consent import ChainSealer, ConsentRules

if TYPE_CHECKING:
    from pydantic import SecretStr

#: For platforms that confirm at once.
_NOTHING_TO_POLL = PollPolicy(first_s=60, factor=1.3, max_s=3600, give_up_s=86400)


def load_settings(option: str | None) -> Settings:
    """Find and read the settings file.

    Raises:
        SettingsError: There is none, or something in it is wrong.
    """
    return config.load(config.find_file(option, os.environ))


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


@contextmanager
def open_pipeline(
    settings: Settings,
    *,
    progress: Progress = silent,
    clock: Clock = now_utc,
    stop: threading.Event | None = None,
) -> Iterator[Pipeline]:
    """Open the ledger and wire every room; closed again at the end."""
    stop = stop or threading.Event()
    _make_private(settings.data_dir)
    sealer = ChainSealer(settings.data_dir / "keys" / "removal-log.pem")
    with ExitStack() as stack:
        ledger = stack.enter_context(
            Ledger.open(settings.database_url, sealer=sealer, state_dir=settings.data_dir)
        )
        destinations = {account.name: _destination(account, stop) for account in settings.destinations}
        for account in settings.destinations:
            ledger.remotes.refuse_moved(
                account.name, platform=account.platform, account=account.account, family=_family(account)
            )
            stack.callback(destinations[account.name].connector.close)
        yield Pipeline(
            data_dir=settings.data_dir,
            ledger=ledger,
            engine=lambda workdir: _engine(settings, workdir),
            sources=_sources(settings),
            destinations=MappingProxyType(destinations),
            segmentation=_segmentation(settings),
            audiences=AudiencePolicy(
                settings.audiences.minimum_size,
                settings.audiences.name_prefix,
                WhenGone(settings.audiences.when_gone),
            ),
            identity=IdentityPolicy(settings.identity.default_region, settings.sources.customers.hashed),
            consent=ConsentRules(
                purpose=settings.consent.purpose.lower(),
                default={code: ConsentStatus(status) for code, status in settings.consent.default.items()},
            ),
            guards=GuardLimits(**settings.guards.model_dump()),
            log_key=sealer.public_key,
            clock=clock,
            stop=stop,
            progress=progress,
        )


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(f"data_dir: cannot make {folder}: {error.strerror}") from None


def _engine(settings: Settings, workdir: Path) -> Engine:
    engine = settings.engine
    return connect(engine.kind, workdir, memory_limit=engine.memory_limit, threads=engine.threads)


def _sources(settings: Settings) -> Sources:
    tables = settings.sources
    return Sources(
        customers=_table("customers", tables.customers, attributes=_attributes(settings)),
        events=_table("events", tables.events) if tables.events is not None else None,
        consent=_table("consent", tables.consent) if tables.consent is not None else None,
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


def _attributes(settings: Settings) -> tuple[str, ...]:
    """Attributes that features ask for: mapped ones, or with no mapping the table's own columns."""
    customers: CustomersSource = settings.sources.customers
    chosen = settings.segmentation.chosen
    if isinstance(chosen, str):
        return ()
    known = catalog()
    asked = [name for name in chosen if name not in known and ":" not in name]
    if customers.columns is None:
        return tuple(asked)
    return tuple(name for name in asked if name in customers.attributes)


def _segmentation(settings: Settings) -> SegmentationPolicy:
    wanted = settings.segmentation
    attributes = _attributes(settings)
    return SegmentationPolicy(
        specs=tuple(resolve(wanted.chosen, attributes)),
        attributes=attributes,
        window=wanted.window,
        refit_every=wanted.refit_every,
        sample_size=wanted.sample_size,
        drift_limit=wanted.drift_limit,
        clustering=ClusteringPolicy(
            algorithm=wanted.algorithm,
            k=None if wanted.k == "auto" else wanted.k,
            k_min=wanted.k_min,
            k_max=wanted.k_max,
            margin=wanted.margin,
            minimum_size=settings.audiences.minimum_size,
            minimum_share=settings.audiences.minimum_share,
            below_minimum=settings.audiences.below_minimum,
            seed=wanted.seed,
            names=settings.audiences.names,
        ),
    )


def _destination(account: AnyAccount, stop: threading.Event) -> Destination:
    make, poll, days = _connector(account)
    retry = RetryPolicy(
        attempts=account.retry.attempts, first_s=account.retry.first_s, longest_s=account.retry.max_s
    )
    return Destination(
        name=account.name,
        platform=account.platform,
        account=account.account,
        connector=RetryingConnector(DeferredConnector(make), retry, stop=stop),
        poll=poll,
        membership_days=days,
        member_limit=account.member_limit,
        by_hand=isinstance(account, CsvDrop),
        removal_refused=RemovalRefused(
            account.removal_refused if isinstance(account, Meta) else RemovalRefused.WAIT
        ),
        resyncing=_resyncing(account),
    )


def _resyncing(account: AnyAccount) -> Resyncing:
    match account:
        case GoogleDataManager():
            return Resyncing.SWEEP
        case Meta():
            return Resyncing.SESSION
        case _:
            return Resyncing.ADDS


def _family(account: AnyAccount) -> Family | None:
    """Whose normalization rules apply, where the platform's name does not say it."""
    return Family(account.template) if isinstance(account, CsvDrop) else None


def _connector(account: AnyAccount) -> tuple[Callable[[], Connector], PollPolicy, int | None]:
    match account:
        case GoogleDataManager():
            poll = PollPolicy(**account.poll.model_dump())
            return partial(_data_manager, account), poll, account.membership_days
        case GoogleAds():
            return (
                partial(_google_ads, account),
                PollPolicy(**account.poll.model_dump()),
                account.membership_days,
            )
        case Meta():
            return (
                partial(_meta, account),
                _NOTHING_TO_POLL,
                account.retention_days,
            )
        case CsvDrop():
            return partial(_csv_drop, account), _NOTHING_TO_POLL, account.days


def _data_manager(account: GoogleDataManager) -> Connector:
    from connectors.google_access import GoogleIdentity  # noqa: PLC0415 - a heavy SDK
    from connectors.google_data_manager import DataManagerConnector, DataManagerOptions  # noqa: PLC0415 - too

    return DataManagerConnector(
        DataManagerOptions(
            account_id=account.account_id,
            login_account_id=account.login_account_id,
            endpoint=account.endpoint,
            identity=GoogleIdentity(credentials_file=_text(account.credentials_file)),
            timeout_s=account.timeout_s,
        )
    )


def _google_ads(account: GoogleAds) -> Connector:
    from connectors.google_access import GoogleIdentity  # noqa: PLC0415 - a heavy SDK
    from connectors.google_ads import GoogleAdsConnector, GoogleAdsOptions  # noqa: PLC0415 - too

    return GoogleAdsConnector(
        GoogleAdsOptions(
            customer_id=account.account_id,
            login_customer_id=account.login_account_id,
            endpoint=account.endpoint,
            identity=GoogleIdentity(
                credentials_file=_text(account.credentials_file),
                client_id=account.client_id,
                client_secret=_reveal(account.client_secret),
                refresh_token=_reveal(account.refresh_token),
            ),
            developer_token=_reveal(account.developer_token),
            version=account.api_version,
            timeout_s=account.timeout_s,
        )
    )


def _meta(account: Meta) -> Connector:
    from connectors.meta import MetaConnector, MetaOptions  # noqa: PLC0415 - a heavy SDK

    return MetaConnector(
        MetaOptions(
            account=account.ad_account_id,
            # A stand-in on this machine needs no credentials; the SDK always sends some.
            access_token=_reveal(account.access_token) or "none",
            app_id=account.app_id,
            app_secret=_reveal(account.app_secret),
            endpoint=account.endpoint,
            api_version=account.api_version,
            customer_file_source=account.customer_file_source,
            retention_days=account.retention_days,
            read_timeout_s=account.timeout_s,
        )
    )


def _csv_drop(account: CsvDrop) -> Connector:
    return CsvDropConnector(
        CsvDropOptions(
            folder=account.folder, template=Family(account.template), keep_days=account.keep_days
        )
    )


def _text(path: Path | None) -> str | None:
    return str(path) if path is not None else None


def _reveal(secret: "SecretStr | None") -> str | None:
    return secret.get_secret_value() if secret is not None else None
