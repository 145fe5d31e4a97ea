"""Settings of consent: what counts, and how soon a removal must be confirmed."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from cohortd.core.consenting import ConsentStatus
from cohortd.core.deadlines import ANY_REGULATION, Allowance
from cohortd.core.times import parse_duration
from config.base import Duration, Share, Strict
from config.countries import check_place

Word = Annotated[str, AfterValidator(lambda text: text.strip().lower())]
ANYWHERE = "*"


def _allowance(value: object) -> Allowance:
    if isinstance(value, Allowance):
        return value
    text = str(value)
    days = re.fullmatch(r"\s*([1-9]\d{0,2}) business days?\s*", text)
    try:
        return Allowance(business_days=int(days[1])) if days else Allowance(parse_duration(text))
    except ValueError:
        raise ValueError("must be a duration such as 72h, or such as 15 business days") from None


Due = Annotated[Allowance, BeforeValidator(_allowance)]


class Consent(Strict):
    """What counts as consent."""

    default: dict[str, Literal[ConsentStatus.GRANTED, ConsentStatus.DENIED]] = Field(
        default={ANYWHERE: ConsentStatus.DENIED},
        validate_default=True,
        description="What silence means, for all, by country, or by state:"
        " `{'*': denied, US: granted, US-CA: denied}`.",
    )
    purpose: str = Field(
        default="advertising",
        min_length=1,
        description="The purpose a consent record must be for; blank ones are for all.",
    )
    max_age: Duration | None = Field(
        default=None, description="How long a grant counts, such as `104w`; left out, for ever."
    )
    legal_bases: tuple[Word, ...] = Field(
        default=("consent",),
        min_length=1,
        description="On what a grant may rest, as its `legal_basis` says; a blank one is consent.",
    )
    two_step: tuple[Word, ...] = Field(
        default=("ccpa", "cpra"),
        description="Regulations under which opting in again after an opt-out takes a second step: a grant"
        " answers only with `confirmed`.",
    )
    due: dict[Word, Due] = Field(
        default={
            "gdpr": Allowance(timedelta(hours=72)),
            "ccpa": Allowance(business_days=15),
            "cpra": Allowance(business_days=15),
            ANY_REGULATION: Allowance(timedelta(hours=72)),
        },
        validate_default=True,
        description="By when a removal must be confirmed after its withdrawal reached us, by regulation"
        " (`*`: any other): a duration, or `15 business days` (Monday to Friday). No legal advice.",
    )
    due_soon: Share = Field(
        default=0.5,
        ge=0,
        le=1,
        description="From which share of that time on an unconfirmed removal is told.",
    )

    @field_validator("due")
    @classmethod
    def _keep_defaults(cls, value: dict[str, Allowance]) -> dict[str, Allowance]:
        default: dict[str, Allowance] = cls.model_fields["due"].default
        return default | value

    @field_validator("default", mode="before")
    @classmethod
    def _one_for_all(cls, value: object) -> object:
        return {ANYWHERE: value} if isinstance(value, str) else value

    @field_validator("default")
    @classmethod
    def _check_countries(cls, value: dict[str, ConsentStatus]) -> dict[str, ConsentStatus]:
        by_country = {
            code if code == ANYWHERE else check_place(code): status for code, status in value.items()
        }
        return {ANYWHERE: ConsentStatus.DENIED} | by_country
