"""One person's entries of the removal log, proven in a file that shows nobody else's."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from cohortd.core.consenting import SubjectKind
from cohortd.core.errors import SettingsError
from cohortd.core.identifiers import Family
from cohortd.core.removals import CONCEALED, RemovalEntry, SignedHead
from cohortd.ledger import MembershipRow, PastMembership, RemovalLog
from cohortd.pipeline.subjects import IDENTIFIER_KINDS, Subject, contact_subject, customer_subject
from cohortd.pipeline.tracing import member_keys
from cohortd.pipeline.wiring import Pipeline
from consent import Included, InclusionProof, prove, verify_inclusion

_FORMAT: Final = 1
_NUMBERS: Final = frozenset({"seq", "batch", "schema_version", "attempts"})


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof holds, and whether it holds."""

    entries: int
    #: The number and the root of the signed head.
    seq: int
    root: str
    #: The first thing wrong, in words; empty if nothing is.
    finding: str = ""

    def as_json(self) -> dict[str, object]:
        """The answer of ``log prove --json`` and ``log verify --proof --json``."""
        return {
            "status": "altered" if self.finding else "ok",
            "entries": self.entries,
            "head": self.seq,
            "root": self.root,
            "finding": self.finding or None,
        }


def write_proof(pipeline: Pipeline, kind: SubjectKind, value: str, file: Path) -> Proven:
    """Write the proof of every entry about a person.

    Raises:
        SettingsError: It names nobody, nothing is in the log about them, the log has no tree yet, or the
            file cannot be written.
    """
    removals = pipeline.ledger.removals
    references = _references(pipeline, kind, value)
    references |= set(removals.names_of(references).values())
    hashes: list[str] = []
    chosen: list[RemovalEntry] = []

    def take(page: Sequence[RemovalEntry]) -> None:
        hashes.extend(entry.hash for entry in page)
        chosen.extend(entry for entry in page if entry.subject in references)

    head = removals.through(take)
    if head is None or not chosen:
        raise SettingsError("the removal log has no entry about this person, so there is nothing to prove")
    if not head.root:
        raise SettingsError("this log has no tree yet: the next entry makes it; try again after it")
    proof = prove(hashes, head, chosen)
    document = {
        "cohortd_proof": _FORMAT,
        "head": asdict(proof.head),
        "entries": list(_entries(removals, proof)),
    }
    try:
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot write {file}: {error.strerror}") from None
    return Proven(len(proof.entries), head.seq, head.root)


def _entries(removals: RemovalLog, proof: InclusionProof) -> Iterator[dict[str, object]]:
    """Yield each entry as it was sealed, with what it conceals and the key that shows it."""
    sealed = [each.entry for each in proof.entries]
    told = {e.seq: e for name in {entry.subject for entry in sealed} for e in removals.told(name)}
    for each, key in zip(proof.entries, removals.openings(sealed), strict=True):
        written: dict[str, object] = {"entry": asdict(each.entry), "path": list(each.path)}
        if key:
            shown = told[each.entry.seq]
            words = {name: getattr(shown, name) for name in CONCEALED if getattr(shown, name)}
            written |= {"key": key, "told": words}
        yield written


def check_proof(file: Path, *, public_keys: Collection[str]) -> Proven:
    """Check a proof by itself, without settings or a ledger.

    Raises:
        SettingsError: The file cannot be read, or holds no proof.
    """
    try:
        proof = _read(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"cannot read {file}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise SettingsError(f"{file}: holds no proof; name a file that cohortd log prove wrote") from None
    finding = verify_inclusion(proof, public_keys=public_keys)
    said = "" if finding is None else str(finding)
    return Proven(len(proof.entries), proof.head.seq, proof.head.root, said)


def _references(pipeline: Pipeline, kind: SubjectKind, value: str) -> set[str]:
    """The names in the log of one person alone: what they share with others is left out."""
    subject: Subject = (
        customer_subject(pipeline, value)
        if kind is SubjectKind.CUSTOMER
        else contact_subject(pipeline, kind, value)
    )
    if not subject:
        raise SettingsError(f"this is no valid {kind.value}, so it names nobody")
    keys = member_keys(pipeline, kind, subject)
    subjects = [(kind, subject)]
    if len(keys) == 1:
        subjects += [(SubjectKind.CUSTOMER, (("", key),)) for key in keys]
        subjects += [each for key in keys for each in _only_theirs(pipeline, key)]
    return {pipeline.ledger.removals.subject_ref(*each) for each in subjects}


def _only_theirs(pipeline: Pipeline, key: bytes) -> Iterator[tuple[SubjectKind, Subject]]:
    """Yield the contact fields that were ever sent of this person and of nobody else."""
    members = pipeline.ledger.members
    named = {of: by for by, of in IDENTIFIER_KINDS.items()}
    sent: list[MembershipRow | PastMembership] = [*members.of_member(key), *members.history_of(key)]
    for row in sent:
        if row.kind in named and all(
            set(members.owners_of(family, row.kind, row.digest)) <= {key} for family in Family
        ):
            yield named[row.kind], (("", row.digest),)


def _read(document: object) -> InclusionProof:
    """Take a document apart.

    Raises:
        ValueError, TypeError, KeyError: It is no proof.
    """
    match document:
        case {"cohortd_proof": 1, "head": dict(head), "entries": [*entries]} if entries:
            return InclusionProof(_head(head), [_included(each) for each in entries])
        case _:
            raise ValueError("no proof")


def _head(found: dict[str, object]) -> SignedHead:
    match found:
        case {"seq": int(seq), "hash": str(digest), "signature": str(signature), "root": str(root)}:
            return SignedHead(seq, digest, signature, root)
        case _:
            raise ValueError("no head")


def _included(found: object) -> Included:
    match found:
        case {"entry": dict(told), "path": [*path], **more} if _are_words(path):
            kinds = {field.name: int if field.name in _NUMBERS else str for field in fields(RemovalEntry)}
            if not all(isinstance(told[name], kind) for name, kind in kinds.items()):
                raise TypeError("no entry")
            return Included(RemovalEntry(**told), path, *_opening(more))
        case _:
            raise ValueError("no entry")


def _opening(found: Mapping[object, object]) -> tuple[str, dict[str, str]]:
    """Read what an entry conceals; older proofs tell nothing of it."""
    match found:
        case {"key": str(key), "told": dict(words)} if _are_words([*words, *words.values()]):
            return key, words
        case {"key": _} | {"told": _}:
            raise ValueError("no entry")
        case _:
            return "", {}


def _are_words(found: list[object]) -> bool:
    return all(isinstance(each, str) for each in found)
