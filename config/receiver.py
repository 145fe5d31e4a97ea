"""The receiver of consent events: who may send what, and how senders prove themselves."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator

from config.addresses import Address, host_of, port_of
from config.base import Strict

#: Shorter secrets can be guessed.
LEAST_SECRET = 16
_HEADER = r"^[A-Za-z0-9-]+$"
_STEP = re.compile(r"[^.\[\]=]+(\[\]|\[[^.\[\]=]+=[^.\[\]=]+\])?")


def _check_path(path: str) -> str:
    if not all(_STEP.fullmatch(step) for step in path.split(".")):
        raise ValueError("is no path such as request.purposes, items[].id or ids[kind=email].value")
    return path


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Path_ = Annotated[str, AfterValidator(_check_path)]
#: The first path that leads anywhere counts.
Paths = Annotated[tuple[Path_, ...], BeforeValidator(_listed)]
Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class ReceiverAuth(Strict):
    """How a sender proves itself; nothing is taken from anybody who does not."""

    kind: Literal["standard_webhooks", "hmac", "bearer"] = Field(
        description="`standard_webhooks` (signed id, time and body), `hmac` (SHA-256 over the body), or"
        " `bearer` (a token in a header)."
    )
    secret: SecretStr | None = Field(
        default=None,
        description=f"The shared secret, or the token, of {LEAST_SECRET} characters at least; as"
        " `whsec_...` for `standard_webhooks`.",
    )
    secret_file: Path | None = Field(default=None, description="A file that holds `secret`.")
    header: str | None = Field(
        default=None,
        pattern=_HEADER,
        description="Where the signature or the token is; left out, `X-Signature` or `Authorization`.",
    )
    prefix: str | None = Field(
        default=None,
        description="What stands before it; left out, nothing for `hmac` and `Bearer ` for `bearer`.",
    )
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How `hmac` is written.")
    timestamp_header: str | None = Field(
        default=None,
        pattern=_HEADER,
        description="`hmac` only: a header with Unix seconds; signed is then that, a dot and the body.",
    )
    id_header: str | None = Field(
        default=None, pattern=_HEADER, description="A header that names the event, if any."
    )
    tolerance_s: int = Field(
        default=300, gt=0, le=3600, description="`hmac` only: how old a signed time may be, in seconds."
    )

    @model_validator(mode="after")
    def _check_secret(self) -> Self:
        if self.secret is None:
            raise ValueError("needs secret or secret_file: a receiver is never open to everybody")
        if len(self.secret.get_secret_value()) < LEAST_SECRET:
            raise ValueError(f"the secret must have {LEAST_SECRET} characters at least")
        if self.kind != "hmac" and self.timestamp_header is not None:
            raise ValueError("timestamp_header is for kind hmac alone")
        return self


class EventMapping(Strict):
    """Where in an event what stands: paths such as `request.purposes` or `ids[kind=email].value`."""

    customer_id: Paths | None = Field(default=None, description="The customer's id.")
    email: Paths | None = Field(default=None, description="E-mail addresses.")
    phone: Paths | None = Field(default=None, description="Phone numbers.")
    event_id: Paths | None = Field(default=None, description="The event's own id.")
    recorded_at: Paths | None = Field(
        default=None, description="When it was said: ISO 8601, or Unix seconds or milliseconds."
    )
    status: Paths | None = Field(
        default=None, description="What was said, where an event says one thing (with `purpose`)."
    )
    purpose: Paths | None = Field(default=None, description="The purpose of `status`.")
    purposes: Paths | None = Field(
        default=None,
        description="What was said of each purpose: a table of name to status, or a list of tables.",
    )
    purpose_key: str | None = Field(
        default=None, description="In such a list, the key of the purpose's name; left out, `id`."
    )
    status_key: str | None = Field(
        default=None, description="In such a list, the key of the status; left out, `status`."
    )
    platform: Paths | None = Field(default=None, description="For which platforms it counts.")
    regulation: Paths | None = Field(default=None, description="Under which regulation it was said.")
    regulation_else: str | None = Field(
        default=None, description="The regulation of events that name none, such as `gdpr`."
    )
    legal_basis: Paths | None = Field(
        default=None, description="On what it rests: a text, or a table by purpose."
    )
    confirmed: Paths | None = Field(default=None, description="Whether a second step was done.")
    statuses: Mapping[str, Literal["granted", "denied", "revoked"]] | None = Field(
        default=None,
        description="Their word to ours; `granted`, `denied`, `revoked`, true and false are known."
        " Any other counts as denied.",
    )
    purpose_names: Mapping[str, str] | None = Field(
        default=None, description="Their purpose to ours, such as `{targeted_ads: advertising}`."
    )
    regulations: Mapping[str, str] | None = Field(
        default=None, description="Their name of a regulation to ours, such as `{us_ca: ccpa}`."
    )
    legal_bases: Mapping[str, str] | None = Field(default=None, description="Their legal basis to ours.")
    revoking: Mapping[Path_, Words] | None = Field(
        default=None,
        description="Events that take back everything, such as `{type: [user.deleted]}`.",
    )
    grants_need: Mapping[Path_, Words] | None = Field(
        default=None,
        description="What an event must say, where it says anything there, for its grants to count, such"
        " as `{status: [confirmed]}`.",
    )


class ReceiverSource(Strict):
    """One sender of consent events."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40, description="Your name for it; records bear it."
    )
    path: str | None = Field(
        default=None,
        pattern=r"^/[A-Za-z0-9/_-]*$",
        description="Where it sends to; left out, `/consent/` and its name.",
    )
    auth: ReceiverAuth = Field(description="How it proves itself.")
    preset: Literal["ketch", "didomi"] | None = Field(
        default=None, description="A ready mapping; what `mapping` says stands above it."
    )
    mapping: EventMapping = Field(
        default_factory=EventMapping, description="Where in an event what stands."
    )

    @property
    def place(self) -> str:
        """Its path."""
        return self.path or f"/consent/{self.name}"

    @model_validator(mode="after")
    def _check_mapping(self) -> Self:
        found = self.mapping
        if self.preset is None and not (found.customer_id or found.email or found.phone):
            raise ValueError("mapping must have one of customer_id, email and phone: whose consent is it?")
        if self.preset is None and not (found.status or found.purposes or found.revoking):
            raise ValueError("mapping must have status or purposes: what was said?")
        return self


class Receiver(Strict):
    """Takes consent events by HTTP; left out, nothing listens."""

    listen: Address = Field(
        default="127.0.0.1:8480",
        description="Address and port. It speaks plain HTTP: TLS is the proxy's before it.",
    )
    sources: tuple[ReceiverSource, ...] = Field(description="Who may send; one at least.")
    most_bytes: int = Field(
        default=262_144, gt=0, le=16_777_216, description="The largest event, in bytes."
    )
    most_a_minute: int = Field(
        default=3_000, gt=0, description="The most events of one source a minute; more are told to wait."
    )

    @property
    def host(self) -> str:
        """The address alone."""
        return host_of(self.listen)

    @property
    def port(self) -> int:
        """The port alone."""
        return port_of(self.listen)

    @field_validator("sources")
    @classmethod
    def _check_names(cls, sources: tuple[ReceiverSource, ...]) -> tuple[ReceiverSource, ...]:
        if not sources:
            raise ValueError(
                "name one sender at least, or leave receiver out: without senders it takes nothing"
            )
        for found in ([each.name for each in sources], [each.place for each in sources]):
            twice = sorted({one for one in found if found.count(one) > 1})
            if twice:
                raise ValueError(f"each name and each path may stand once; twice: {', '.join(twice)}")
        return sources
