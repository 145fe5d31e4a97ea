"""One call of the Graph API at a time, through Meta's own SDK, with our errors only."""

import json
import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import requests
from facebook_business.api import FacebookAdsApi, FacebookSession
from facebook_business.exceptions import FacebookError

from cohortd.core.errors import FatalError, RetryableError, SyncError
from cohortd.core.times import Clock
from connectors.meta.codes import LIMITED_AFTER_S, Outcome
from connectors.meta.errors import GraphFault, rule_for, translate
from connectors.meta.forms import FormSession
from connectors.meta.options import MetaOptions
from connectors.meta.usage import Pace

#: The SDK's word for a call's parameters.
Params = Mapping[str, object]

#: What the SDK itself dies of on answers it does not expect.
_SDK_CRASHES = (TypeError, AttributeError, ValueError, KeyError)

TLS_CURE = "Check the clock, the endpoint, and ca_bundle where a proxy inspects TLS."


class _AnswerError(Exception):
    """Carries a fault from the response hook through the SDK."""

    def __init__(self, fault: GraphFault) -> None:
        super().__init__()
        self.fault = fault


class GraphClient:
    """Calls Meta for one ad account; may be shared by threads, which then take turns."""

    def __init__(self, options: MetaOptions, *, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._account = options.account
        self._pace = Pace(options.account, clock=clock)
        # Meta quotes a bad token in its error's text.
        self._secrets = [secret for secret in (options.access_token, options.app_secret) if secret]
        self._session = _session(options)
        self._session.requests.hooks["response"].append(self._on_response)
        # Not FacebookAdsApi.init: that would set a global default and replace sys.excepthook by a
        # reporter that posts tracebacks to Meta.
        self._api = FacebookAdsApi(self._session, api_version=options.api_version)
        # urllib3 writes whole URLs at debug level, and the token is in every one of them.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

    def call(
        self,
        method: str,
        *path: str,
        params: Params | None = None,
        is_add: bool = False,
        private: Iterable[str] = (),
    ) -> dict[str, object]:
        """Make one call.

        Args:
            method: GET, POST or DELETE.
            path: The parts of the path after the version.
            params: What to send.
            is_add: Whether to hold back already when the allowance is nearly used up.
            private: Values among the parameters that Meta might repeat in its error's text.

        Raises:
            SyncError: One of its three classes, made anew: no vendor error hangs on it.
        """
        with self._lock:
            wait_s = self._pace.wait_s(is_add=is_add)
            if wait_s > 0:
                raise RetryableError(
                    "Meta's limit of calls is reached; not asking before it ends", after_s=wait_s
                )
            answer = self._attempt(method, path, dict(params or {}), [*self._secrets, *private])
            if isinstance(answer, SyncError):
                # Raised out here, so that no vendor error with its URL and payload is its context.
                raise answer
            self._pace.went_well()
            return answer

    def close(self) -> None:
        """Give back connections."""
        self._session.requests.close()

    def _attempt(
        self, method: str, path: tuple[str, ...], params: dict[str, object], private: Iterable[str]
    ) -> dict[str, object] | SyncError:
        try:
            # NODE calls end in a slash, as the SDK's own do.
            answer = self._api.call(method, path if len(path) > 1 else (*path, ""), params).json()
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
