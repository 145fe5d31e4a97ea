"""All stand-ins together, for ``cohortd emulate`` and the demo."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cohortd.core.errors import SettingsError
from cohortd.emulators.fault_files import load_schedule
from cohortd.emulators.faults import FaultSchedule
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from cohortd.emulators.meta import MetaEmulator


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 takes a free port."""

    host: str = "127.0.0.1"
    google_grpc: int = 0
    google_http: int = 0
    meta_http: int = 0


@contextmanager
def running(
    ports: Ports,
    *,
    state: Path | None,
    delay_s: float = 0.0,
    faults: FaultSchedule | None = None,
    quotas: bool = False,
) -> Iterator[Mapping[str, str]]:
    """Run all stand-ins for the length of the block.

    Args:
        ports: Where to listen.
        state: Keep what the platforms hold in this folder; None forgets it at the end.
        delay_s: Seconds Google takes to process what it accepted.
        faults: What goes wrong, and when.
        quotas: Whether calls to the Data Manager count against the quotas of a Cloud project.

    Returns:
        Platform -> endpoint, and the Data Manager's REST as ``google_data_manager_http``.

    Raises:
        SettingsError: A port is taken, or the folder is none to write to.
    """
    folder = state or None
    try:
        google = GoogleEmulator(
            host=ports.host,
            grpc_port=ports.google_grpc,
            http_port=ports.google_http,
            folder=folder / "google" if folder else None,
            rules=GoogleRules(delay_s=delay_s, quotas=quotas),
            faults=faults,
        )
        meta = MetaEmulator(
            host=ports.host, port=ports.meta_http, folder=folder / "meta" if folder else None, faults=faults
        )
    except (OSError, RuntimeError) as error:
        raise SettingsError(_trouble(error, ports.host, folder)) from None
    with google, meta:
        yield {
            "google_data_manager": google.grpc_endpoint,
            "google_ads": google.grpc_endpoint,
            "google_data_manager_http": google.http_endpoint,
            "meta": meta.endpoint,
        }


def _trouble(error: Exception, host: str, folder: Path | None) -> str:
    """Say what stands in the way: the folder, of which the system names a file, or an address."""
    if folder is not None and isinstance(error, OSError) and error.filename is not None:
        return f"cannot keep anything in {folder}: {error.strerror}; --state names a folder"
    said = str(error).partition("; set GRPC_VERBOSITY")[0]
    return f"cannot listen on {host}: {said}; another emulator may be running"


def serve(
    ports: Ports,
    *,
    state: Path | None,
    faults: Path | None,
    delay_s: float,
    quotas: bool,
    announce: Callable[[Mapping[str, str]], None],
) -> None:
    """Run all stand-ins until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    schedule = load_schedule(faults) if faults is not None else None
    with running(ports, state=state, delay_s=delay_s, faults=schedule, quotas=quotas) as endpoints:
        announce(endpoints)
        stop.wait()
