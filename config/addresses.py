"""Addresses to listen on: a host and a port."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator

_ADDRESS: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")
_LAST_PORT: Final = 65_535


def host_of(address: str) -> str:
    """The address alone, an IPv6 one without its brackets."""
    return address.rpartition(":")[0].strip("[]")


def port_of(address: str) -> int:
    """The port alone."""
    return int(address.rpartition(":")[2])


def _check(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise ValueError("is no address and port such as 127.0.0.1:8480 or [::1]:8480")
    if port_of(address) > _LAST_PORT:
        raise ValueError(f"the port must be {_LAST_PORT} at most")
    return address


Address = Annotated[str, AfterValidator(_check)]
