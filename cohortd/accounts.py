"""Destinations out of their settings: connectors, how they are asked and paced, how much at once."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from cohortd.core.identifiers import Family
from cohortd.core.observing import Trace, untraced
from cohortd.core.times import Clock
from cohortd.pipeline.wiring import Destination, PollPolicy, RemovalRefused, Resyncing
from config.destinations import CsvDrop, GoogleAds, GoogleDataManager, Meta, OnlineAccount
from config.destinations import Destination as AnyAccount
from connectors.csv_drop import CsvDropConnector, CsvDropOptions
from connectors.deferred import DeferredConnector
from connectors.google_quotas import ProjectQuotas, project_of
from connectors.pacing import DayBook, Quota
from connectors.protocol import Connector
from connectors.retrying import RetryingConnector, RetryPolicy

if TYPE_CHECKING:
    from pydantic import SecretStr

#: Where platforms answer by HTTP, if only with a refusal: it bears their time.
_ADDRESSES = {
    "google_ads": "https://googleads.googleapis.com",
    "google_data_manager": "https://datamanager.googleapis.com",
    "meta": "https://graph.facebook.com",
}
#: For platforms that confirm at once.
_NOTHING_TO_POLL = PollPolicy(first_s=60, factor=1.3, max_s=3600, give_up_s=86400)

Accounts = Sequence[AnyAccount]


@dataclass(frozen=True, slots=True)
class Shared:
    """What destinations have from the process they are in."""

    clock: Clock
    #: Keeps how many requests were made of a day's quota.
    book: DayBook
    #: Set when the process should stop: nothing is waited for any more.
    stop: threading.Event
    #: Told of every call to a platform.
    trace: Trace = untraced


@contextmanager
def open_destinations(accounts: Accounts, shared: Shared) -> Iterator[Mapping[str, Destination]]:
    """Wire every destination; connections and unused quota are given back at the end."""
    with ExitStack() as stack:
        quotas = _quotas(accounts, shared)
        for each in {id(quota): quota for quota in quotas.values()}.values():
            stack.callback(each.close)
        destinations = {account.name: _destination(account, shared, quotas) for account in accounts}
        for destination in destinations.values():
            stack.callback(destination.connector.close)
        yield MappingProxyType(destinations)


def clock_address(account: AnyAccount) -> str | None:
    """Say where a destination's platform tells the time by HTTP; None where it does not."""
    if not isinstance(account, OnlineAccount):
        return None
    address = account.endpoint or _ADDRESSES.get(account.platform)
    return address if address is not None and address.startswith("http") else None


def family_of(account: AnyAccount) -> Family | None:
    """Whose normalization rules apply, where the platform's name does not say it."""
    return Family(account.template) if isinstance(account, CsvDrop) else None


def _quotas(accounts: Accounts, shared: Shared) -> Mapping[str, ProjectQuotas]:
    """Destination -> what its project may ask for, one object a project; the strictest settings count."""
    asked: dict[str, list[tuple[str, Quota]]] = {}
    for account in accounts:
        if isinstance(account, GoogleDataManager) and account.quota is not None:
            told = account.quota
            project = told.project or project_of(account.credentials_file, account.endpoint)
            asked.setdefault(project, []).append(
                (account.name, Quota(told.per_minute, told.per_day, told.reserve))
            )
    found: dict[str, ProjectQuotas] = {}
    for project, each in asked.items():
        strictest = Quota(
            per_minute=min(quota.per_minute for _, quota in each),
            per_day=min(quota.per_day for _, quota in each),
            reserve=max(quota.reserve for _, quota in each),
        )
        shares = ProjectQuotas(
            project, strictest, clock=shared.clock, book=shared.book, wait=shared.stop.wait
        )
        found.update((name, shares) for name, _ in each)
    return found


def _destination(account: AnyAccount, shared: Shared, quotas: Mapping[str, ProjectQuotas]) -> Destination:
    make, poll, days = _connector(account, quotas.get(account.name), shared)
    retry = RetryPolicy(
        attempts=account.retry.attempts, first_s=account.retry.first_s, longest_s=account.retry.max_s
    )
    return Destination(
        name=account.name,
        platform=account.platform,
        account=account.account,
        connector=RetryingConnector(DeferredConnector(make), retry, stop=shared.stop, trace=shared.trace),
        poll=poll,
        membership_days=days,
        member_limit=account.member_limit,
        by_hand=isinstance(account, CsvDrop),
        removal_refused=RemovalRefused(
            account.removal_refused if isinstance(account, Meta) else RemovalRefused.WAIT
        ),
        resyncing=_resyncing(account),
        replaces_when_cheaper=isinstance(account, GoogleDataManager | Meta)
        and account.replace_when_cheaper,
        concurrency=account.concurrency if isinstance(account, OnlineAccount) else 1,
    )


def _resyncing(account: AnyAccount) -> Resyncing:
    match account:
        case GoogleDataManager():
            return Resyncing.SWEEP
        case Meta():
            return Resyncing.SESSION
        case _:
            return Resyncing.ADDS


def _connector(
    account: AnyAccount, quotas: ProjectQuotas | None, shared: Shared
) -> tuple[Callable[[], Connector], PollPolicy, int | None]:
    match account:
        case GoogleDataManager():
            poll = PollPolicy(**account.poll.model_dump())
            return partial(_data_manager, account, quotas), poll, account.membership_days
        case GoogleAds():
            return (
                partial(_google_ads, account),
                PollPolicy(**account.poll.model_dump()),
                account.membership_days,
            )
        case Meta():
            return (
                partial(_meta, account, shared),
                _NOTHING_TO_POLL,
                account.retention_days,
            )
        case CsvDrop():
            return partial(_csv_drop, account), _NOTHING_TO_POLL, account.days


def _data_manager(account: GoogleDataManager, quotas: ProjectQuotas | None) -> Connector:
    from connectors.google_access import GoogleIdentity  # noqa: PLC0415 - a heavy SDK
    from connectors.google_data_manager import DataManagerConnector, DataManagerOptions  # noqa: PLC0415 - too

    return DataManagerConnector(
        DataManagerOptions(
            account_id=account.account_id,
            login_account_id=account.login_account_id,
            endpoint=account.endpoint,
            identity=GoogleIdentity(credentials_file=_text(account.credentials_file)),
            timeout_s=account.timeout_s,
        ),
        quotas=quotas,
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


def _meta(account: Meta, shared: Shared) -> Connector:
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
        ),
        clock=shared.clock,
        wait=shared.stop.wait,
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
