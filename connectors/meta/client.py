"""One call of the Graph API at a time, through Meta's own SDK, with our errors only."""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import requests
from facebook_business.api import FacebookAdsApi, FacebookSession
from facebook_business.exceptions import FacebookError

from cohortd.core.delivery import Hold
from cohortd.core.errors import FatalError, HeldError, RetryableError, SyncError
from cohortd.core.times import Clock
from connectors.meta.codes import LIMITED_AFTER_S, Outcome
from connectors.meta.errors import GraphFault, rule_for, translate
from connectors.meta.forms import FormSession
from connectors.meta.options import MetaOptions
from connectors.meta.usage import Pace

#: The SDK's word for a call's parameters.
Params = Mapping[str, object]
#: Waits for so many seconds; true where the process was asked to stop.
Wait = Callable[[float], bool]

#: What the SDK itself dies of on answers it does not expect.
_SDK_CRASHES = (TypeError, AttributeError, ValueError, KeyError)

TLS_CURE = "Check the clock, the endpoint, and ca_bundle where a proxy inspects TLS."


class _AnswerError(Exception):
    """Carries a fault from the response hook through the SDK."""

    def __init__(self, fault: GraphFault) -> None:
        super().__init__()
        self.fault = fault


class GraphClient:
    """Calls Meta for one ad account.

    Threads may share it: each call has a session of the SDK's to itself, which is not made for two.
    """

    def __init__(self, options: MetaOptions, *, clock: Clock, wait: Wait) -> None:
        self._lock = threading.Lock()
        self._wait = wait
        self._options = options
        self._account = options.account
        self._pace = Pace(options.account, clock=clock)
        # Meta quotes a bad token in its error's text.
        self._secrets = [secret for secret in (options.access_token, options.app_secret) if secret]
        #: The SDK's, one for each call under way, and those with nothing to do.
        self._sessions: list[Any] = []
        self._idle: list[Any] = []
        # urllib3 writes whole URLs at debug level, and the token is in every one of them.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

    def call(
        self,
        method: str,
        *path: str,
        params: Params | None = None,
        is_regular: bool = False,
        private: Iterable[str] = (),
    ) -> dict[str, object]:
        """Make one call.

        Args:
            method: GET, POST or DELETE.
            path: The parts of the path after the version.
            params: What to send.
            is_regular: Whether it is to go the slower the more of the allowance is used, and to leave
                the last of it to others.
            private: Values among the parameters that Meta might repeat in its error's text.

        Raises:
            SyncError: One of its three classes, made anew: no vendor error hangs on it.
        """
        self._keep_pace(is_regular=is_regular)
        with self._lent() as api:
            answer = self._attempt(api, method, path, dict(params or {}), [*self._secrets, *private])
        if isinstance(answer, SyncError):
            # Raised out here, so that no vendor error with its URL and payload is its context.
            raise answer
        self._pace.went_well()
        return answer

    def hold(self, *, urgent: bool) -> Hold | None:
        """Tell until when nothing is to be uploaded."""
        return self._pace.hold(urgent=urgent)

    def used_share(self) -> float:
        """Tell how much of Meta's allowance was used at its last answer."""
        return self._pace.percent / 100

    def close(self) -> None:
        """Give back connections."""
        with self._lock:
            for session in self._sessions:
                session.requests.close()

    def _keep_pace(self, *, is_regular: bool) -> None:
        hold = self._pace.hold(urgent=not is_regular)
        if hold is not None:
            kind = RetryableError if hold.is_told else HeldError
            raise kind(f"{hold.why}; not asking before it ends", after_s=self._pace.seconds_to(hold))
        wait_s = self._pace.turn_s() if is_regular else 0.0
        if wait_s > 0 and self._wait(wait_s):
            raise HeldError("asked to stop while it waited for its turn", after_s=wait_s)

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        with self._lock:
            api = self._idle.pop() if self._idle else None
        api = api or self._make()
        try:
            yield api
        finally:
            with self._lock:
                self._idle.append(api)

    def _make(self) -> Any:
        session = _session(self._options)
        session.requests.hooks["response"].append(self._on_response)
        self._sessions.append(session)
        # Not FacebookAdsApi.init: that would set a global default and replace sys.excepthook by a
        # reporter that posts tracebacks to Meta.
        return FacebookAdsApi(session, api_version=self._options.api_version)

    def _attempt(
        self,
        api: Any,
        method: str,
        path: tuple[str, ...],
        params: dict[str, object],
        private: Iterable[str],
    ) -> dict[str, object] | SyncError:
        try:
            # NODE calls end in a slash, as the SDK's own do.
            answer = api.call(method, path if len(path) > 1 else (*path, ""), params).json()
        except _AnswerError as error:
            of_account = path[0] == self._account
            return self._judge(replace(error.fault, of_account=of_account), private)
        except requests.exceptions.SSLError:
            return FatalError("Meta's TLS certificate is not trusted", cure=TLS_CURE)
        except requests.exceptions.RequestException as error:
            return RetryableError(f"Meta could not be reached or did not answer ({type(error).__name__})")
        except (FacebookError, *_SDK_CRASHES) as error:
            return RetryableError(f"Meta's answer could not be read ({type(error).__name__})")
        if not isinstance(answer, dict):
            return RetryableError("Meta's answer is not a JSON object")
        return answer

    def _judge(self, fault: GraphFault, private: Iterable[str]) -> SyncError:
        rule = rule_for(fault)
        if rule.outcome is not Outcome.LIMITED:
            return translate(fault, private=private)
        return translate(
            fault, after_s=self._pace.limited(rule.after_s or LIMITED_AFTER_S), private=private
        )

    def _on_response(self, response: requests.Response, *_args: object, **_kwargs: object) -> None:
        """See every answer before the SDK does.

        The SDK takes an HTML page for success, whatever its status, and dies of errors that are
        not of the form it expects.
        """
        self._pace.read(response.headers)
        fault = _fault_in(response)
        if fault is not None:
            raise _AnswerError(fault)


def _session(options: MetaOptions) -> Any:
    session = FacebookSession(
        options.app_id,
        options.app_secret,
        options.access_token,
        timeout=(options.connect_timeout_s, options.read_timeout_s),
    )
    session.requests = _faster(session.requests)
    if options.endpoint:
        session.GRAPH = options.endpoint.rstrip("/")
        # Else a proxy or a .netrc meant for the internet would apply to the stand-in.
        session.requests.trust_env = False
        session.requests.verify = True
    if options.ca_bundle:
        session.requests.verify = options.ca_bundle
    return session


def _faster(slow: requests.Session) -> requests.Session:
    """Take over what the SDK has set."""
    session = FormSession()
    session.verify = slow.verify
    session.params = slow.params
    return session


def _fault_in(response: requests.Response) -> GraphFault | None:
    try:
        body = json.loads(response.content)
    except ValueError:
        return GraphFault(response.status_code)
    if not isinstance(body, dict):
        return GraphFault(response.status_code)
    if "error" in body:
        return _fault_of(response.status_code, body["error"])
    failed = not response.ok or response.is_redirect or body.get("success", True) is not True
    return GraphFault(response.status_code) if failed else None


def _fault_of(status: int, error: object) -> GraphFault:
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        # An error is never success, whatever the status says.
        return GraphFault(status)
    told = (error.get(key) for key in ("message", "error_user_title", "error_user_msg"))
    subcode = error.get("error_subcode")
    return GraphFault(
        status,
        code=error["code"],
        subcode=subcode if isinstance(subcode, int) else None,
        is_transient=error.get("is_transient") is True,
        message=" ".join(text for text in told if isinstance(text, str)),
        trace=str(error.get("fbtrace_id", "")),
    )
