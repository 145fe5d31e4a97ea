"""A stranger's view of the emulated Graph API: plain HTTP."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

import requests

from cohortd.emulators.meta import MetaEmulator

ACCOUNT = "act_1"
CREATE = {"name": "Regulars", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
MADID = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"

Make = Callable[..., "Client"]


def digest(text: object) -> str:
    return hashlib.sha256(str(text).encode()).hexdigest()


class Clock:
    now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Client:
    """Plain HTTP, as a stranger would speak."""

    def __init__(self, emulator: MetaEmulator, clock: Clock) -> None:
        self.emulator, self.clock = emulator, clock
        self.http = requests.Session()
        self.http.trust_env = False

    def call(self, method: str, path: str, /, **params: object) -> requests.Response:
        token = {"access_token": "t"}
        url = f"{self.emulator.endpoint}/v26.0/{path}"
        if method == "POST":
            return self.http.post(url, params=token, data=params, timeout=10)
        return self.http.request(method, url, params=token | params, timeout=10)

    def create(self, **changes: object) -> str:
        return str(self.call("POST", f"{ACCOUNT}/customaudiences", **CREATE | changes).json()["id"])

    def users(self, remote_id: str, schema: object, data: object, /, **more: object) -> requests.Response:
        payload = json.dumps({"schema": schema, "data": data})
        return self.call("POST", f"{remote_id}/users", payload=payload, **more)


def error(answer: requests.Response) -> tuple[int, int | None]:
    told = answer.json()["error"]
    return told["code"], told.get("error_subcode")


def session(number: int, seq: int = 1, *, last: bool = True) -> str:
    return json.dumps({"session_id": number, "batch_seq": seq, "last_batch_flag": last})
