"""One person's report: what was sent of them, where, why, when it was taken back, and the proof."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, TextIO

from cohortd.core.printable import escaped, printable
from cohortd.core.removals import RemovalEntry
from cohortd.report.cases import Case, cases_of
from cohortd.report.pages import render

#: What decided, as a lawyer's client would say it; see the table in docs/consent.md.
_RULES: Final = {
    "revoked": "consent was taken back, and no newer consent answers it",
    "denied": "consent was refused, and no newer consent answers it",
    "opt_in_unconfirmed": "consent was given again, but its second step was never done",
    "granted": "consent had been given for this",
    "default_granted": "nothing was said, and where this person lives the company takes that for a yes",
    "grant_expired": "the consent that had been given is too old",
    "basis_not_accepted": "the company does not advertise on the legal basis that was recorded",
    "purpose_not_covered": "consent had been given for other purposes only",
    "default_denied_country_unknown": "nothing was said, and the country is not known",
    "default_denied_state_unknown": "nothing was said, and the state is not known",
    "default_denied": "nothing was said, and that is taken for a no",
}
#: A membership's state, as the reader would say it.
STANDING: Final = {
    "adding": "sent, not confirmed by the platform yet",
    "present": "there",
    "removing": "being taken back, not confirmed by the platform yet",
    "rejected": "sent, and not accepted by the platform",
    "removed": "taken back",
    "by_hand": "written to a file that somebody uploads by hand",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One audience on one platform that something of the person was sent to."""

    platform: str
    destination: str
    account: str
    audience: str
    #: What it is called there, and whom it is for.
    name: str
    description: str
    remote_id: str
    #: Kind and first eight digits of what was sent.
    identifiers: tuple[str, ...]
    first_sent_at: str
    last_sent_at: str
    #: Blank while anything may be there.
    removed_at: str
    #: One of ``STANDING``.
    state: str

    @property
    def standing(self) -> str:
        """Its state in words."""
        return STANDING.get(self.state, self.state)


@dataclass(frozen=True, slots=True)
class Why:
    """One decision about the person, for one family of platforms."""

    family: str
    decided_at: str
    #: The rule's name, and whether it let the person be sent.
    rule: str
    may_be_sent: bool
    #: When and from where the record is that it rests on; blank where it rests on silence.
    record_at: str
    record_source: str
    #: Names of the groups they were put into.
    segments: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The rule in words."""
        return _RULES.get(self.rule, self.rule.replace("_", " "))


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One statement of consent that is kept."""

    status: str
    recorded_at: str
    purpose: str
    platform: str
    regulation: str
    source: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What ``cohortd log verify`` says of the whole log, and what it is checked by."""

    verdict: str
    sound: bool
    head: str
    public_key: str


@dataclass(frozen=True, slots=True)
class PersonReport:
    """Everything that is told of one person; contact fields by their digests' first eight digits."""

    #: Who it is about: a customer id, or only by what kind of contact field they were named.
    who: str
    #: Their name in the removal log.
    subject: str
    made_at: str
    #: The option by which they are named to commands; its value is left out but for a customer id.
    option: str
    places: tuple[Place, ...]
    whys: tuple[Why, ...]
    consent: tuple[ConsentLine, ...]
    entries: tuple[RemovalEntry, ...]
    proof: Proof
    #: How they are in their segment, in sentences.
    placement: tuple[str, ...] = field(default=())

    @property
    def cases(self) -> Sequence[Case]:
        """Each time something was taken back, with what became of it."""
        return cases_of(self.entries)

    @property
    def still_there(self) -> int:
        """Audiences from which nothing was confirmed as taken back."""
        return sum(not place.removed_at and place.state != "rejected" for place in self.places)

    @property
    def taken_back(self) -> int:
        """Audiences they are confirmed to be out of."""
        return sum(bool(place.removed_at) for place in self.places)


def person_json(report: PersonReport, out: TextIO) -> None:
    """Write all of it as one JSON object, entries of the log as people read them."""
    out.write(escaped(json.dumps(asdict(report), ensure_ascii=False, indent=1)) + "\n")


def person_html(report: PersonReport, out: TextIO) -> None:
    """Write a page that prints well, for somebody who knows nothing of cohortd."""
    out.write(printable(render("person.html.j2", {"report": report})))
