"""As much of GAQL as audiences need: SELECT fields FROM one resource WHERE terms LIMIT n."""

import re
from dataclasses import dataclass
from typing import Any, Final

from google.ads.googleads.v26.services.types.google_ads_service import GoogleAdsRow
from google.protobuf import field_mask_pb2

from cohortd.emulators.google_calls import Problem, RefusedError
from cohortd.emulators.google_filters import unquoted, value_of

_QUERY: Final = re.compile(
    r"\s*SELECT\s+(?P<fields>.+?)\s+FROM\s+(?P<resource>\w+)"
    r"(?:\s+WHERE\s+(?P<where>.+?))?"
    r"(?:\s+ORDER\s+BY\s+[\w. ,]+?)?"
    r"(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_VALUE: Final = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\w./~-]+)"""
_TERM: Final = re.compile(
    rf"""\s*([\w.]+)\s*(?:(!=|=)\s*({_VALUE})|IN\s*\(\s*({_VALUE}(?:\s*,\s*{_VALUE})*)\s*\))\s*""",
    re.IGNORECASE,
)
_AND: Final = re.compile(r"AND\b", re.IGNORECASE)
_RESOURCES: Final = frozenset({"user_list", "offline_user_data_job", "customer"})


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query."""

    fields: tuple[str, ...]
    resource: str
    #: Field, whether it must equal, and the values of which one must do.
    terms: tuple[tuple[str, bool, frozenset[str]], ...]
    limit: int | None

    def holds(self, row: Any) -> bool:
        """Whether a row passes the WHERE."""
        return all((value_of(row, path) in values) == equal for path, equal, values in self.terms)


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        RefusedError: It is none, or asks for what is not emulated.
    """
    found = _QUERY.fullmatch(text)
    if found is None or found["resource"].lower() not in _RESOURCES:
        raise _refused("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE" if found else "UNEXPECTED_INPUT")
    fields = tuple(_path(field.strip()) for field in found["fields"].split(","))
    limit = int(found["limit"]) if found["limit"] else None
    return Query(fields, found["resource"].lower(), _terms(found["where"] or ""), limit)


def chosen(row: Any, query: Query) -> Any:
    """Keep what was asked for; a resource's name always comes along."""
    shown = GoogleAdsRow.pb()()
    paths = [*query.fields, f"{query.resource}.resource_name"]
    field_mask_pb2.FieldMask(paths=paths).MergeMessage(row, shown)
    return shown


def _terms(text: str) -> tuple[tuple[str, bool, frozenset[str]], ...]:
    terms: list[tuple[str, bool, frozenset[str]]] = []
    position = 0
    while position < len(text):
        if terms:
            joined = _AND.match(text, position)
            if joined is None:
                raise _refused("UNEXPECTED_INPUT")
            position = joined.end()
        found = _TERM.match(text, position)
        if found is None:
            raise _refused("UNEXPECTED_INPUT")
        values = [found[3]] if found[3] else re.findall(_VALUE, found[4])
        terms.append((_path(found[1]), found[2] != "!=", frozenset(map(unquoted, values))))
        position = found.end()
    return tuple(terms)


def _path(text: str) -> str:
    """Check that there is such a field; the messages write ``type`` as ``type_``."""
    descriptor = GoogleAdsRow.pb().DESCRIPTOR
    names = []
    for word in text.split("."):
        known = descriptor.fields_by_name if descriptor is not None else {}
        name = word if word in known else f"{word}_"
        if name not in known:
            raise _refused("UNRECOGNIZED_FIELD")
        names.append(name)
        descriptor = known[name].message_type
    return ".".join(names)


def _refused(code: str) -> RefusedError:
    return RefusedError("INVALID_ARGUMENT", Problem(f"query_error.{code}", "query"))
